// A hand scanner is a keyboard that types very fast and ends in Enter. It is heard wherever the focus is;
// what it typed into a field by the way is taken out again.

import { cleanCode } from "./codes.js";

const GAP = 50; // milliseconds between keys; people need three times as long
const SHORTEST = 5;

/** Call `onCode(code)` for each scan. Returns a function that stops listening. */
export function listenForScans(onCode) {
  let buffer = "";
  let last = 0;
  let slowest = 0;
  let field = null;
  let before = "";

  function forget() {
    buffer = "";
    slowest = 0;
    field = null;
  }

  function onKey(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const gap = event.timeStamp - last;
    if (event.key === "Enter") {
      if (buffer.length >= SHORTEST && gap < GAP * 2 && slowest < GAP) {
        event.preventDefault();
        event.stopPropagation();
        if (field) {
          field.value = before;
          field.dispatchEvent(new Event("input", { bubbles: true }));
        }
        const code = cleanCode(buffer);
        forget();
        onCode(code);
        return;
      }
      forget();
      return;
    }
    if (event.key.length !== 1) return;
    if (gap > GAP) {
      forget();
      const target = event.target;
      field = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement ? target : null;
      before = field ? field.value : "";
    } else slowest = Math.max(slowest, gap);
    last = event.timeStamp;
    buffer += event.key;
  }

  document.addEventListener("keydown", onKey, true);
  return () => document.removeEventListener("keydown", onKey, true);
}
