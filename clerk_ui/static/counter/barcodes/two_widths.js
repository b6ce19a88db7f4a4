// The older member cards: CODE39 (ISO/IEC 16388) and NW-7 (Codabar). Both know narrow and wide stretches only, and
// neither has a check sign, so a reader must see the same text several times before it believes it.

import { span } from "./runs.js";

const CODE39 = table(
  "0:000110100 1:100100001 2:001100001 3:101100000 4:000110001 5:100110000 6:001110000 7:000100101 8:100100100 " +
    "9:001100100 A:100001001 B:001001001 C:101001000 D:000011001 E:100011000 F:001011000 G:000001101 H:100001100 " +
    "I:001001100 J:000011100 K:100000011 L:001000011 M:101000010 N:000010011 O:100010010 P:001010010 Q:000000111 " +
    "R:100000110 S:001000110 T:000010110 U:110000001 V:011000001 W:111000000 X:010010001 Y:110010000 Z:011010000 " +
    "-:010000101 .:110000100 $:010101000 /:010100010 +:010001010 %:000101010 *:010010100 _:011000100",
);
const NW7 = table(
  "0:0000011 1:0000110 2:0001001 3:1100000 4:0010010 5:1000010 6:0100001 7:0100100 8:0110000 9:1001000 " +
    "-:0001100 $:0011000 /:1010001 .:1010100 +:0010101 A:0011010 B:0101001 C:0001011 D:0001110",
);
NW7.set("1000101", ":");
const QUIET = 4; // narrow stretches of light beside the code
const LEAST_RATIO = 1.7; // wide to narrow; the standards ask for 2
const LONGEST = 40;
const SHORTEST = 4; // signs between the marks: fewer are found in any picture of stripes

function table(text) {
  return new Map(text.split(" ").map((entry) => [entry.slice(2), entry[0]]));
}

/** The text framed by asterisks that begins with the dark stretch `at`, or null. */
export function readCode39(widths, at) {
  const found = read(widths, at, CODE39, 9, 3);
  if (!found || !/^\*[^*]+\*$/.test(found)) return null;
  return { format: "code_39", code: found.slice(1, -1).replaceAll("_", " ") };
}

/** The text framed by A to D that begins with the dark stretch `at`, its frame included, or null. */
export function readNw7(widths, at) {
  const found = read(widths, at, NW7, 7, null);
  return found && /^[ABCD][0-9\-$:/.+]+[ABCD]$/.test(found) ? { format: "codabar", code: found } : null;
}

function read(widths, at, signs, stretches, wide) {
  let found = "";
  let size = null;
  for (let place = at; place + stretches < widths.length && found.length < LONGEST; place += stretches + 1) {
    const sign = readSign(widths, place, signs, stretches, wide);
    if (!sign) return null;
    size ??= sign.narrow;
    if (found === "" && !(widths[at - 1] >= QUIET * sign.narrow)) return null;
    if (sign.narrow > 1.6 * size || sign.narrow < size / 1.6) return null;
    found += sign.text;
    const after = widths[place + stretches];
    if (found.length > SHORTEST + 1 && after >= QUIET * sign.narrow) return found;
    if (after > 3.5 * sign.narrow) return null; // the gap between two signs is narrow
  }
  return null;
}

function readSign(widths, at, signs, stretches, wide) {
  const sorted = Array.from({ length: stretches }, (_, place) => widths[at + place]).sort((a, b) => a - b);
  // the border between narrow and wide is the widest step in the order of widths
  let count = wide;
  if (count === null) {
    const steps = [2, 3].map((number) => sorted[stretches - number] / sorted[stretches - number - 1]);
    count = steps[0] >= steps[1] ? 2 : 3;
  }
  const narrowest = sorted.slice(0, stretches - count);
  const border = (sorted[stretches - count] + sorted[stretches - count - 1]) / 2;
  const narrow = narrowest.reduce((sum, width) => sum + width, 0) / narrowest.length;
  if (!(narrow > 0) || sorted[stretches - count] < LEAST_RATIO * narrow || sorted[0] < 0.4 * narrow) return null;
  if (sorted[stretches - 1] > 4.5 * narrow || span(widths, at, stretches) > 30 * narrow) return null;
  let pattern = "";
  for (let place = 0; place < stretches; place += 1) pattern += widths[at + place] > border ? "1" : "0";
  const text = signs.get(pattern);
  return text ? { text, narrow } : null;
}
