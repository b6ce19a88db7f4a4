// Behind a suggestion: everything we know about why, where it is, and a way to say that it does not fit.

import { button, h, icon } from "../dom.js";
import { number } from "../figures.js";
import { t } from "../language.js";
import { openDialog } from "./dialog.js";
import { knowHowCard } from "./know_how_card.js";
import { categoryLeaf, picture } from "./picture.js";
import { markBadges, priceTag, stockLine, talkText } from "./suggestion.js";

const WHYS = ["allergy", "has_it", "dislikes", "not_for_household"];

function nearbyList(nearby) {
  const places = (nearby ?? []).filter((place) => place.quantity > 0);
  if (!places.length) return null;
  return h(
    "ul",
    { class: "facts" },
    places.map((place) => h("li", { class: "row row--apart" }, h("span", {}, place.name), h("span", { class: "figure bold" }, t("stock.count", { n: number(place.quantity) })))),
  );
}

function reasonsOf(suggestion) {
  const more = suggestion.details ?? suggestion.reasons ?? [];
  return [suggestion.reason, ...more.map((reason) => (typeof reason === "string" ? reason : reason.text))].filter(
    (text, place, all) => text && all.indexOf(text) === place,
  );
}

/** The details; `onDismiss(why)` is null on the anonymous path. */
export function suggestionDialog(suggestion, onDismiss) {
  const { product, know_how: knowHow } = suggestion;
  openDialog(
    product?.name ?? suggestion.title,
    (close) => [
      h(
        "div",
        { class: "details" },
        product && h("div", { class: "details__picture" }, picture(product)),
        h(
          "div",
          { class: "stack" },
          h("div", { class: "row" }, markBadges(suggestion.marks)),
          h("p", { class: "soft" }, [product?.brand, categoryLeaf(product?.category)].filter(Boolean).join(" ・ ")),
          h("p", { class: "row" }, priceTag(product?.price), stockLine(suggestion.stock)),
        ),
      ),
      h("h3", {}, t("details.why")),
      h("ul", { class: "facts" }, reasonsOf(suggestion).map((text) => h("li", {}, text))),
      talkText(suggestion.talk) && [h("h3", {}, t("details.talk")), h("p", { class: "suggestion__talk" }, t("talk", { text: talkText(suggestion.talk) }))],
      knowHow && [h("h3", {}, t("know_how.title")), knowHowCard(knowHow, suggestion)],
      suggestion.probability !== null && suggestion.probability !== undefined &&
        h("p", { class: "small soft" }, t("details.probability", { n: number(Math.max(1, Math.round(suggestion.probability * 100))) })),
      nearbyList(suggestion.stock?.nearby) && [h("h3", {}, t("details.nearby")), nearbyList(suggestion.stock.nearby)],
      onDismiss && product &&
        h("div", { class: "row dialog__actions" }, button(t("dismiss.long"), { icon: "cross", onclick: () => { close(); dismissDialog(suggestion, onDismiss); } })),
    ],
    { wide: true },
  );
}

/** «Not for this customer», with an optional reason in the same tap. */
export function dismissDialog(suggestion, onDismiss) {
  openDialog(t("dismiss.long"), (close) => {
    const choose = (why) => () => {
      close();
      onDismiss(why);
    };
    return [
      h("p", {}, t("dismiss.explain", { product: suggestion.product.name })),
      h("div", { class: "choices" }, WHYS.map((why) => button(t(`dismiss.${why}`), { onclick: choose(why) })), button(t("dismiss.no_reason"), { icon: "check", kind: "main", onclick: choose(null) })),
      h("p", { class: "small soft row" }, icon("note"), t("dismiss.until")),
    ];
  });
}
