// What surrounds every screen: where one is, what waits to be sent, who holds the tablet, which language.

import { fill, h, icon } from "./dom.js";
import { language, t } from "./language.js";
import { face } from "./parts/person.js";
import { isReachable } from "./requests.js";
import { chooseLanguage, current } from "./session.js";

const PLACES = [
  ["find", "people"],
  ["item", "barcode"],
  ["day", "sun"],
  ["outbox", "outbox"],
];

/** The state of sending, in words and a number. */
export function sendingState(counts) {
  const { waiting, refused } = counts;
  if (refused) return { kind: "bad", icon: "warn", text: t("sending.refused", { n: refused }) };
  if (!isReachable()) return { kind: "warn", icon: "offline", text: waiting ? t("sending.offline_waiting", { n: waiting }) : t("sending.offline") };
  if (waiting) return { kind: "warn", icon: "outbox", text: t("sending.waiting", { n: waiting }) };
  return { kind: "good", icon: "check", text: t("sending.done") };
}

/** Draw the pill that says whether everything is sent. */
export function drawSending(place, counts) {
  const state = sendingState(counts);
  fill(place, icon(state.icon), h("span", {}, state.text));
  place.className = `pill pill--${state.kind}`;
  place.dataset.waiting = counts.waiting;
  place.dataset.refused = counts.refused;
}

/** The button that changes between Japanese and English; it speaks the other language. */
export function languageButton() {
  const other = language() === "ja" ? "en" : "ja";
  return h("button", { type: "button", class: "tool", lang: other, onclick: () => chooseLanguage(other) }, icon("language"), h("span", {}, other === "en" ? "English" : "日本語"));
}

/** The store's name; on the narrow rail of a wide screen without the chain's, which everybody here knows. */
function storeName(name) {
  const [, chain, place] = /^(.+[\s\u3000])(\S*[\u3040-\u9fff]\S*)$/u.exec(name) ?? [];
  return h("p", { title: name }, place ? [h("span", { class: "frame__chain" }, chain), place] : name);
}

/** The frame around a screen. */
export function frame(screen, place, { counts, onSwitch }) {
  const { store, person } = current();
  const sending = h("a", { href: "#/outbox", id: "sending", "aria-live": "polite" });
  drawSending(sending, counts);
  return h(
    "div",
    { class: "frame" },
    h("a", { class: "skip", href: "#main", onclick: (event) => { event.preventDefault(); document.getElementById("main").focus(); } }, t("skip")),
    h("header", { class: "frame__brand" }, icon("noren"), storeName(store?.name ?? t("app.name"))),
    h(
      "nav",
      { class: "frame__nav", "aria-label": t("nav.label") },
      h("ul", {}, PLACES.map(([name, sign]) => h("li", {}, h("a", { href: `#/${name}`, class: "place", "aria-current": place === name ? "page" : null }, icon(sign), h("span", {}, t(`nav.${name}`)))))),
    ),
    h(
      "div",
      { class: "frame__tools" },
      sending,
      languageButton(),
      h("button", { type: "button", class: "tool tool--person", "aria-label": t("switch.of", { name: person?.name ?? "" }), onclick: onSwitch }, face(person), h("span", {}, t("switch"))),
    ),
    h("main", { class: "frame__main", id: "main", tabindex: "0" }, screen.element),
  );
}
