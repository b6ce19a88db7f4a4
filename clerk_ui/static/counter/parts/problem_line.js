// One line that says what went wrong and what to do.

import { h, icon } from "../dom.js";
import { troubleWords } from "./trouble.js";

/** A notice for something that was thrown. */
export function problemLine(error, actions = []) {
  const { what, todo } = troubleWords(error);
  return h(
    "div",
    { class: "notice notice--bad", role: "alert" },
    icon("warn"),
    h("div", { class: "stack stack--tight" }, h("p", { class: "bold" }, what), h("p", { class: "small" }, todo), actions.length ? h("div", { class: "row" }, actions) : null),
  );
}
