// Reads bar codes from pictures of a camera, for browsers that have no reader of their own (iPads among them).
//
// Each picture is crossed by lines, level and upright; each line is read forwards and backwards. A code counts once
// enough lines have said the same: two where the code has a check digit, four where it has none.

import { readCode128 } from "./code128.js";
import { readEan } from "./ean.js";
import { runsOf } from "./runs.js";
import { readCode39, readNw7 } from "./two_widths.js";

const READERS = [readEan, readCode128, readCode39, readNw7];
const LINES = 31;
const THICKNESS = 3; // neighbouring rows that are averaged: noise goes, level bars stay
const ENOUGH = { ean_13: 2, ean_8: 3, code_128: 2, code_39: 4, codabar: 4 };

/** A reader that remembers: `see(image)` answers a code `{format, code}` once it is sure, else null. */
export function createReader() {
  const votes = new Map();
  return {
    see(image) {
      for (const line of linesOf(image)) {
        const found = readLine(line);
        if (!found) continue;
        const key = `${found.format} ${found.code}`;
        votes.set(key, (votes.get(key) ?? 0) + 1);
        if (votes.get(key) >= ENOUGH[found.format]) return found;
      }
      return null;
    },
  };
}

/** What one line of brightness values says, or null. */
export function readLine(line) {
  const forwards = runsOf(line);
  for (const widths of [forwards, [...forwards].reverse()]) {
    for (let at = 1; at < widths.length; at += 2) {
      for (const reader of READERS) {
        const found = reader(widths, at);
        if (found) return found;
      }
    }
  }
  return null;
}

/** Lines through a picture of RGBA values, from the middle outwards: first level ones, then upright ones. */
function* linesOf({ data, width, height }) {
  const grey = (x, y) => {
    const at = 4 * (y * width + x);
    return 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
  };
  for (const [length, across, value] of [
    [width, height, (along, beside) => grey(along, beside)],
    [height, width, (along, beside) => grey(beside, along)],
  ]) {
    for (let number = 0; number < LINES; number += 1) {
      const side = number % 2 ? -1 : 1;
      const middle = Math.round(across / 2 + (side * Math.ceil(number / 2) * across) / (LINES + 9));
      const line = new Float32Array(length);
      for (let along = 0; along < length; along += 1) {
        let sum = 0;
        for (let row = 0; row < THICKNESS; row += 1) sum += value(along, Math.min(across - 1, Math.max(0, middle + row - 1)));
        line[along] = sum / THICKNESS;
      }
      yield line;
    }
  }
}
