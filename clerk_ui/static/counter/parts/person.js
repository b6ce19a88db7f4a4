// A person's face: the first signs of the name on a ground of its own.

import { h } from "../dom.js";

/** The round sign for a person. */
export function face({ name, initials }, extra = "") {
  const signs = [...(name || "?").trim()];
  const hue = signs.reduce((sum, sign) => sum + sign.codePointAt(0), 0) % 6;
  return h("span", { class: `face face--${hue} ${extra}`.trim(), "aria-hidden": "true" }, initials || signs[0]);
}
