// A hand scanner is a keyboard that types very fast and ends in Enter. It is heard wherever the focus is;
// what it typed into a field by the way is taken out again.

import { cleanCode } from "./codes.js";

const LONGEST_GAP = 250; // milliseconds between two keys, on a busy tablet
const MEAN_GAP = 70; // over the whole code; people need twice as long
const SHORTEST = 5;
// A name typed at top speed has no digits; a member number typed at top speed is looked up, as was wanted.
const FEWEST_DIGITS = 4;

/** Call `onCode(code)` for each scan. Returns a function that stops listening. */
export function listenForScans(onCode) {
  let buffer = "";
  let first = 0;
  let last = -Infinity;
  let field = null;
  let before = "";

  function forget() {
    buffer = "";
    field = null;
    last = -Infinity; // the next key begins anew, however soon it comes
  }

  function isScan(gap) {
    const digits = buffer.replace(/\D/g, "").length;
    const fast = gap < LONGEST_GAP && last - first < MEAN_GAP * buffer.length;
    return fast && buffer.length >= SHORTEST && digits >= FEWEST_DIGITS;
  }

  function onKey(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const gap = event.timeStamp - last;
    if (event.key === "Enter") {
      if (isScan(gap)) {
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
    if (gap > LONGEST_GAP) {
      forget();
      first = event.timeStamp;
      const target = event.target;
      field = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement ? target : null;
      before = field ? field.value : "";
    }
    last = event.timeStamp;
    buffer += event.key;
  }

  document.addEventListener("keydown", onKey, true);
  return () => document.removeEventListener("keydown", onKey, true);
}
