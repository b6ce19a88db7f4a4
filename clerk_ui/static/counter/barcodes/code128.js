// CODE128 (ISO/IEC 15417): six stretches a sign, eleven modules, a check sign modulo 103.

import { best, misfit, span } from "./runs.js";

const WIDTHS =
  "212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222123122123221" +
  "223211221132221231213212223112312131311222321122321221312212322112322211212123212321232121111323131123131321" +
  "112313132113132311211313231113231311112133112331132131113123113321133121313121211331231131213113213311213131" +
  "311123311321331121312113312311332111314111221411431111111224111422121124121421141122141221112214112412122114" +
  "122411142112142211241211221114413111241112134111111242121142121241114212124112124211411212421112421211212141" +
  "214121412121111143111341131141114113114311411113411311113141114131311141411131211412211214211232";
const SIGNS = WIDTHS.match(/.{6}/g).map((sign) => [...sign].map(Number));
const STOP = [2, 3, 3, 1, 1, 1, 2];
const [SHIFT, TO_C, TO_B, TO_A, START_A] = [98, 99, 100, 101, 103];
const LIMIT = 0.2;
const QUIET = 5;
const LONGEST = 48;

/** The text that begins with the dark stretch `at`, or null. */
export function readCode128(widths, at) {
  const values = [];
  let place = at;
  const module = span(widths, at, 6) / 11;
  if (!(widths[at - 1] >= QUIET * module)) return null;
  for (; place + 7 < widths.length && values.length <= LONGEST; place += 6) {
    if (values.length > 2 && misfit(widths, place, STOP) < LIMIT && widths[place + 7] >= QUIET * module) return text(values);
    const width = span(widths, place, 6) / module;
    if (width < 9 || width > 13) return null;
    const value = best(widths, place, SIGNS, LIMIT);
    if (value < 0 || (values.length === 0) !== value >= START_A) return null;
    values.push(value);
  }
  return null;
}

function text(values) {
  const check = values.at(-1);
  const sum = values.slice(0, -1).reduce((total, value, place) => total + value * Math.max(1, place), 0);
  if (sum % 103 !== check) return null;
  let set = "ABC"[values[0] - START_A];
  let shifted = null;
  let found = "";
  for (const value of values.slice(1, -1)) {
    const current = shifted ?? set;
    shifted = null;
    if (current === "C") {
      if (value < 100) found += String(value).padStart(2, "0");
      else if (value === TO_B) set = "B";
      else if (value === TO_A) set = "A";
      continue; // FNC1 stands for nothing that a member number has
    }
    if (value < 96) {
      // set A holds control signs where B has small letters; no card has them
      if (current === "A" && value >= 64) return null;
      found += String.fromCharCode(32 + value);
    } else if (value === SHIFT) shifted = current === "A" ? "B" : "A";
    else if (value === TO_C) set = "C";
    else if (value === TO_B) set = "B";
    else if (value === TO_A) set = "A";
  }
  return found ? { format: "code_128", code: found } : null;
}
