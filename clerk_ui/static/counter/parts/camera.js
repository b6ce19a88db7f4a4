// The second way to scan: the tablet's camera. The browser's own reader where it knows the codes of member cards
// (Android, ChromeOS, macOS), else ours (iPad, Windows, Linux).

import { h, notice } from "../dom.js";
import { cleanCode } from "../codes.js";
import { t } from "../language.js";
import { openDialog } from "./dialog.js";

const NEEDED = ["ean_13", "ean_8", "codabar", "code_39", "code_128"];
const WIDEST = 960; // pixels across: enough for a card at arm's length, little enough for an old tablet
const PAUSE = 60;

/** Whether there can be a camera; on an insecure origin browsers hide it. */
export function cameraAvailable() {
  return Boolean(navigator.mediaDevices?.getUserMedia);
}

/** Something with `see(video)` that answers `{code, format}` or null. */
async function readerFor() {
  const known = "BarcodeDetector" in window ? await window.BarcodeDetector.getSupportedFormats().catch(() => []) : [];
  if (NEEDED.every((format) => known.includes(format))) {
    const detector = new window.BarcodeDetector({ formats: NEEDED });
    return {
      see: async (video) => {
        const [found] = await detector.detect(video);
        return found ? { code: found.rawValue, format: found.format } : null;
      },
    };
  }
  const { createReader } = await import("../barcodes/reader.js");
  const reader = createReader();
  const canvas = document.createElement("canvas");
  const picture = canvas.getContext("2d", { willReadFrequently: true });
  return {
    see: async (video) => {
      const scale = Math.min(1, WIDEST / video.videoWidth);
      canvas.width = Math.round(video.videoWidth * scale);
      canvas.height = Math.round(video.videoHeight * scale);
      if (!canvas.width) return null;
      picture.drawImage(video, 0, 0, canvas.width, canvas.height);
      return reader.see(picture.getImageData(0, 0, canvas.width, canvas.height));
    },
  };
}

/** Open the camera; the first code that is read closes it and goes to `onCode`. */
export async function openCamera(onCode) {
  const video = h("video", { class: "camera", playsinline: true, muted: true, "aria-label": t("camera.view") });
  video.muted = true; // the attribute alone does not count once the element exists
  const message = h("div", { "aria-live": "polite" });
  const view = h("div", { class: "camera__view" }, video, h("div", { class: "camera__frame", "aria-hidden": "true" }));
  let stream = null;
  let open = true;
  const stop = () => stream?.getTracks().forEach((track) => track.stop());
  const dialog = openDialog(t("camera.title"), () => [view, h("p", { class: "soft" }, t("camera.help")), message], { wide: true });
  dialog.addEventListener("close", () => {
    open = false;
    stop();
  });
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
    if (!open) return stop();
    const reader = await readerFor();
    video.srcObject = stream;
    await video.play();
    while (open) {
      const found = await reader.see(video);
      if (found && open) {
        dialog.close();
        onCode(cleanCode(found.code));
        return undefined;
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  } catch (error) {
    stop();
    view.hidden = true;
    if (open) message.append(notice(t(error?.name === "NotAllowedError" ? "camera.refused" : "camera.failed"), { kind: "warn", icon: "camera" }));
  }
  return undefined;
}
