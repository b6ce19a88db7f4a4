// Builds elements. Text only ever becomes a text node, so nothing that comes from a database is read as markup.

const SVG = "http://www.w3.org/2000/svg";
const ICONS = "/static/images/icons.svg";

/** Put the drawings of the icons into the page once, so that none is missing when the network is. */
export async function loadIcons() {
  const text = await (await fetch(ICONS)).text();
  const sprite = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  sprite.setAttribute("class", "sprite");
  sprite.setAttribute("aria-hidden", "true");
  document.body.append(document.adoptNode(sprite));
}

/** An element with properties (`on…` are listeners, booleans set or leave out the attribute) and children. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else if (value === true) element.setAttribute(name, "");
    else element.setAttribute(name, value);
  }
  append(element, children);
  return element;
}

/** An SVG element; presentation goes through attributes and classes, never through inline styles. */
export function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** An icon of the sprite; decoration, the words beside it say what it means. */
export function icon(name, extra = "") {
  return s(
    "svg",
    { class: `icon ${extra}`.trim(), "aria-hidden": "true", focusable: "false", viewBox: "0 0 24 24" },
    s("use", { href: `#i-${name}` }),
  );
}

/** A button with an optional icon. */
export function button(label, { icon: name, kind = "", ...properties } = {}) {
  const classes = ["button", ...kind.split(" ").filter(Boolean).map((k) => `button--${k}`)].join(" ");
  return h("button", { type: "button", class: classes, ...properties }, name && icon(name), h("span", {}, label));
}

/** Replace what an element contains. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

/** Nothing here: says what is missing and how to get it. */
export function empty(art, what, how, ...more) {
  return h(
    "div",
    { class: "empty" },
    icon(art, "empty__art"),
    h("p", { class: "empty__what" }, what),
    how && h("p", { class: "small" }, how),
    more,
  );
}

/** A box that says something about the state of things; `role` status unless it is bad. */
export function notice(text, { kind = "", icon: name = "note", actions = [] } = {}) {
  return h(
    "div",
    { class: `notice ${kind ? `notice--${kind}` : ""}`.trim(), role: kind === "bad" ? "alert" : "status" },
    icon(name),
    h("div", { class: "stack stack--tight" }, h("p", {}, text), actions.length ? h("div", { class: "row" }, actions) : null),
  );
}

/** Grey shapes while something loads. */
export function skeleton(rows, label) {
  return h(
    "div",
    { class: "skeleton", role: "status", "aria-label": label },
    Array.from({ length: rows }, () => h("div", { class: "skeleton__row" })),
  );
}
