// A product's picture, or where there is none a quiet one made of a traditional pattern and the category.

import { h, s } from "../dom.js";

const PATTERNS = ["seigaiha", "asanoha", "shippo", "yagasuri", "ichimatsu"];
const HUES = 6;
let made = 0;

const DRAWINGS = {
  // blue-sea waves
  seigaiha: [40, 20, () => [[20, 20], [0, 10], [40, 10], [20, 0], [0, 30], [40, 30]].sort((a, b) => a[1] - b[1]).flatMap(
    ([x, y]) => [18, 12, 6].map((r, place) => s("circle", { cx: x, cy: y, r, class: place === 0 ? "art__ground" : "art__line" })),
  )],
  // hemp leaf
  asanoha: [40, 69.28, () => [
    s("path", {
      class: "art__line",
      d:
        "M0 0L40 69.28M40 0L0 69.28M20 0V69.28M0 34.64H40M0 0L20 11.55L40 0M0 34.64L20 23.09L40 34.64M0 34.64L20 46.19L40 34.64" +
        "M0 69.28L20 57.73L40 69.28M0 0V23.09L20 34.64L40 23.09V0M0 69.28V46.19L20 34.64L40 46.19V69.28",
    }),
  ]],
  // seven treasures
  shippo: [40, 40, () => [[0, 0], [40, 0], [0, 40], [40, 40], [20, 20]].map(
    ([cx, cy]) => s("circle", { cx, cy, r: 20, class: "art__line" }),
  )],
  // arrow feathers
  yagasuri: [30, 60, () => [
    s("path", { class: "art__fill", d: "M0 0L15 12V42L0 30ZM30 30L15 42V72L30 60ZM30 -30L15 -18V12L30 0Z" }),
    s("path", { class: "art__line", d: "M15 0V60M0 0V60M30 0V60" }),
  ]],
  // checks
  ichimatsu: [32, 32, () => [s("path", { class: "art__fill", d: "M0 0H16V16H0ZM16 16H32V32H16Z" })]],
};

function hash(text) {
  let value = 7;
  for (const sign of text) value = (value * 31 + sign.codePointAt(0)) >>> 0;
  return value;
}

/** The last level of a category path. */
export function categoryLeaf(category) {
  return (category ?? "").split(">").at(-1).trim();
}

function drawn(product) {
  const category = product.category ?? "";
  const top = category.split(">")[0].trim();
  const name = PATTERNS[hash(top || product.name) % PATTERNS.length];
  const [width, height, shapes] = DRAWINGS[name];
  const id = `pattern-${(made += 1)}`;
  const word = categoryLeaf(category) || product.name;
  return s(
    "svg",
    { class: `art art--${hash(category || product.name) % HUES}`, viewBox: "0 0 240 180", preserveAspectRatio: "xMidYMid slice", "aria-hidden": "true" },
    s("defs", {}, s("pattern", { id, width, height, patternUnits: "userSpaceOnUse" }, shapes())),
    s("rect", { class: "art__ground", width: 240, height: 180 }),
    s("rect", { fill: `url(#${id})`, width: 240, height: 180 }),
    s("rect", { class: "art__label", x: 40, y: 62, width: 160, height: 56, rx: 4 }),
    s("rect", { class: "art__frame", x: 44, y: 66, width: 152, height: 48, rx: 2 }),
    s("text", { class: "art__word", x: 120, y: 91, "text-anchor": "middle", "dominant-baseline": "middle", "font-size": size(word) }, word.slice(0, 14)),
  );
}

function size(word) {
  const width = [...word.slice(0, 14)].reduce((sum, sign) => sum + (sign.codePointAt(0) > 255 ? 1 : 0.58), 0);
  return Math.min(30, Math.floor(140 / Math.max(width, 1)));
}

/** A figure with the product's picture. The name stands beside it, so the picture itself is decoration. */
export function picture(product) {
  const frame = h("div", { class: "picture" });
  if (!product.image_url) {
    frame.append(drawn(product));
    return frame;
  }
  const image = h("img", { src: product.image_url, alt: "", loading: "lazy", decoding: "async", referrerpolicy: "no-referrer" });
  image.addEventListener("error", () => image.replaceWith(drawn(product)));
  frame.append(image);
  return frame;
}
