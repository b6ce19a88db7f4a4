// The bar at the bottom that can take the last tap back for ten seconds.

import { button, fill, h, icon } from "../dom.js";
import { t } from "../language.js";

const SECONDS = 10;
let timer = null;

function place() {
  return document.getElementById("undo");
}

/** Say what was recorded and offer to take it back. */
export function offerUndo(text, onUndo) {
  hideUndo();
  let left = SECONDS;
  const seconds = h("span", { class: "undo__seconds figure", "aria-hidden": "true" }, left);
  const bar = h(
    "div",
    { class: "undo" },
    h("p", { class: "undo__text", role: "status" }, icon("check"), h("span", {}, text)),
    button(t("undo"), {
      icon: "undo",
      kind: "large",
      onclick: () => {
        hideUndo();
        onUndo();
      },
    }),
    seconds,
  );
  fill(place(), bar);
  timer = setInterval(() => {
    left -= 1;
    seconds.textContent = left;
    if (left <= 0) hideUndo();
  }, 1000);
}

/** A short word about something that cannot be undone here; `action` is a link or button beside it. */
export function say(text, kind = "", action = null) {
  hideUndo();
  fill(place(), h("div", { class: `undo undo--word ${kind && `undo--${kind}`}` }, h("p", { role: "status" }, text), action));
  timer = setTimeout(hideUndo, 5000);
}

/** Take the bar away. */
export function hideUndo() {
  clearInterval(timer);
  clearTimeout(timer);
  const bar = place();
  if (bar) fill(bar);
}
