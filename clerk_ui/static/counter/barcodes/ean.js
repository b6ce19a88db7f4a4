// JAN/EAN-13 and EAN-8 (ISO/IEC 15420): four stretches a digit, seven modules, a check digit.

import { isEan } from "../codes.js";
import { best, misfit, span } from "./runs.js";

const ODD = [[3, 2, 1, 1], [2, 2, 2, 1], [2, 1, 2, 2], [1, 4, 1, 1], [1, 1, 3, 2], [1, 2, 3, 1], [1, 1, 1, 4], [1, 3, 1, 2], [1, 2, 1, 3], [3, 1, 1, 2]];
const BOTH = [...ODD, ...ODD.map((pattern) => [...pattern].reverse())];
const FIRST = ["000000", "001011", "001101", "001110", "010011", "011001", "011100", "010101", "010110", "011010"];
const GUARD = [1, 1, 1];
const MIDDLE = [1, 1, 1, 1, 1];
const GUARD_LIMIT = 0.25;
const DIGIT_LIMIT = 0.22;
const QUIET = 5; // modules of light that must stand beside the code

/** The code that begins with the dark stretch `at`, or null. */
export function readEan(widths, at) {
  return read(widths, at, 6) ?? read(widths, at, 4);
}

function read(widths, at, half) {
  const stretches = 3 + 4 * half + 5 + 4 * half + 3;
  if (at + stretches >= widths.length) return null;
  const module = span(widths, at, stretches) / (14 * half + 11);
  if (widths[at - 1] < QUIET * module || widths[at + stretches] < QUIET * module) return null;
  const middle = at + 3 + 4 * half;
  const end = middle + 5 + 4 * half;
  if (misfit(widths, at, GUARD) > GUARD_LIMIT || misfit(widths, end, GUARD) > GUARD_LIMIT) return null;
  if (misfit(widths, middle, MIDDLE) > GUARD_LIMIT) return null;
  let digits = "";
  let parity = "";
  for (let place = 0; place < 2 * half; place += 1) {
    const from = place < half ? at + 3 + 4 * place : middle + 5 + 4 * (place - half);
    const width = span(widths, from, 4) / module;
    if (width < 5.5 || width > 8.5) return null;
    const found = best(widths, from, place < half ? BOTH : ODD, DIGIT_LIMIT);
    if (found < 0) return null;
    digits += found % 10;
    if (place < half) parity += found < 10 ? "0" : "1";
  }
  if (half === 6) {
    const first = FIRST.indexOf(parity);
    return first >= 0 && isEan(first + digits) ? { format: "ean_13", code: first + digits } : null;
  }
  return parity === "0000" && isEan(digits) ? { format: "ean_8", code: digits } : null;
}
