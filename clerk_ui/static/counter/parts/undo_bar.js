// The bar at the bottom: it can take the last tap back for ten seconds, and says a word above that when there is one.

import { button, fill, h, icon } from "../dom.js";
import { t } from "../language.js";

const SECONDS = 10;
const WORD = 5_000;
const WORD_TO_ACT_ON = 20_000; // long enough to finish a sentence with the customer first
let ticking = null;
let undo = null;
let fading = null;
let word = null;

function draw() {
  const place = document.getElementById("undo");
  if (place) fill(place, word, undo);
}

/** Say what was recorded and offer to take it back. */
export function offerUndo(text, onUndo) {
  hideUndo();
  let left = SECONDS;
  const seconds = h("span", { class: "undo__seconds figure", "aria-hidden": "true" }, left);
  undo = h(
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
  draw();
  ticking = setInterval(() => {
    left -= 1;
    seconds.textContent = left;
    if (left <= 0) dropUndo();
  }, 1000);
}

/** A short word about something that cannot be undone here; `action` is a link or button beside it. */
export function say(text, kind = "", action = null) {
  clearTimeout(fading);
  word = h("div", { class: `undo undo--word ${kind && `undo--${kind}`}` }, h("p", { role: "status" }, text), action);
  draw();
  fading = setTimeout(hideWord, action ? WORD_TO_ACT_ON : WORD);
}

/** Take the word away; what can be undone still can. */
export function hideWord() {
  clearTimeout(fading);
  word = null;
  draw();
}

function dropUndo() {
  clearInterval(ticking);
  undo = null;
  draw();
}

/** Take the whole bar away. */
export function hideUndo() {
  dropUndo();
  hideWord();
}
