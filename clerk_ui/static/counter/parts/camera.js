// The second way to scan: the tablet's camera, where the browser can read bar codes.

import { h, notice } from "../dom.js";
import { cleanCode } from "../codes.js";
import { t } from "../language.js";
import { openDialog } from "./dialog.js";

const FORMATS = ["ean_13", "ean_8", "codabar", "code_39", "code_128", "qr_code"];

/** Whether this browser has a bar code reader and a camera. */
export function cameraAvailable() {
  return "BarcodeDetector" in window && Boolean(navigator.mediaDevices?.getUserMedia);
}

/** Open the camera; the first code that is read closes it and goes to `onCode`. */
export async function openCamera(onCode) {
  const video = h("video", { class: "camera", playsinline: true, muted: true, "aria-label": t("camera.view") });
  const message = h("div", {});
  let stream = null;
  let open = true;
  const dialog = openDialog(t("camera.title"), () => [video, h("p", { class: "soft" }, t("camera.help")), message], { wide: true });
  dialog.addEventListener("close", () => {
    open = false;
    stream?.getTracks().forEach((track) => track.stop());
  });
  try {
    const known = await window.BarcodeDetector.getSupportedFormats();
    const detector = new window.BarcodeDetector({ formats: FORMATS.filter((format) => known.includes(format)) });
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    video.srcObject = stream;
    await video.play();
    while (open) {
      const [found] = await detector.detect(video);
      if (found) {
        dialog.close();
        onCode(cleanCode(found.rawValue));
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 120));
    }
  } catch {
    if (open) message.append(notice(t("camera.failed"), { kind: "warn", icon: "camera" }));
    stream?.getTracks().forEach((track) => track.stop());
  }
}
