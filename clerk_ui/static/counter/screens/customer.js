// The customer being served: who it is on one side, what to suggest on the other.

import { button, empty, fill, h, icon, notice, skeleton } from "../dom.js";
import { when } from "../figures.js";
import { whenLifted } from "../fingers.js";
import { t } from "../language.js";
import { customerFirst, customerMore } from "../parts/customer_card.js";
import { knownOffers, mixed, offerCard } from "../parts/offer.js";
import { problemLine } from "../parts/problem_line.js";
import { suggestionCard } from "../parts/suggestion.js";
import { linkDialog } from "../parts/visitor_link.js";
import { Unreachable } from "../requests.js";
import { hear } from "../signals.js";
import { endServing, loadCard, loadSuggestions, servingOf } from "../serving.js";
import { openShowing } from "./showing.js";

const MOST = 5;
const TOGETHER = 150; // milliseconds that the first set waits for the card: offers that come later push it down

/** The suggestions of a set that are still to be shown. */
export function shownOf(serving) {
  return (serving.set?.suggestions ?? []).filter((one) => !serving.hidden.has(one.product?.product_id)).slice(0, MOST);
}

/** The screen for one customer. `onSeen` on it takes an item that the customer looks at. */
export function customerScreen({ id, code, go, redraw }) {
  const serving = servingOf(id);
  const about = h("aside", { class: "serve__about", "aria-label": t("customer.about") });
  const more = h("aside", { class: "serve__more", "aria-label": t("customer.more") });
  const list = h("div", { class: "serve__list" });
  const seen = h("div", { class: "row seen", role: "group", "aria-label": t("seen.title") });
  const title = h("h1", { tabindex: "-1", class: "serve__name" }, serving.card ? nameOf(serving.card) : t("loading"));
  const kana = h("p", { class: "serve__kana", hidden: true });
  const reading = h("button", { type: "button", class: "button button--plain", "aria-expanded": "false", hidden: true, onclick: () => {
    kana.hidden = !kana.hidden;
    reading.setAttribute("aria-expanded", String(!kana.hidden));
  } }, t("customer.reading"));
  const show = button(t("show.open"), { icon: "turn", onclick: () => openShowing(shownOf(serving), redraw), disabled: true });

  let cardHere = () => {};
  const carded = new Promise((resolve) => (cardHere = resolve));
  let drawnWith = null; // what of the card the list was drawn with
  const ofCard = () => JSON.stringify([serving.card?.offers, serving.card?.consent.may_profile]);

  function drawCard() {
    const { card, stale } = serving;
    title.textContent = nameOf(card);
    kana.textContent = card.kana ?? "";
    reading.hidden = !card.kana;
    if (title.isConnected) document.title = `${nameOf(card)} – ${t("app.title")}`; // not on a screen that is turned around
    fill(about, stale && notice(t("stale", { time: when(stale) }), { kind: "warn", icon: "offline" }), customerFirst(card, serving, afterChange));
    if (!more.contains(document.activeElement)) fill(more, customerMore(card)); // a note is being written there
  }

  /** Other consent, or more that is known of them: other card and other suggestions. */
  async function afterChange() {
    await loadCard(id).catch(() => {});
    drawCard();
    if (!serving.stale) refresh();
  }

  function drawSuggestions() {
    drawnWith = ofCard();
    const products = shownOf(serving);
    const shown = mixed(knownOffers(serving.card), products, MOST);
    show.disabled = !products.length;
    fill(
      list,
      serving.setStale && notice(t("suggestions.stale", { time: when(serving.setStale) }), { kind: "warn", icon: "offline" }),
      shown.length
        ? h("ol", { class: "suggestions" }, shown.map((one) => (one.offer_id ? offerCard(one, serving, drawCard) : suggestionCard(one, serving, id, afterHiding))))
        : nothing(),
    );
  }

  function nothing() {
    if (serving.card?.consent.may_profile === false) {
      return empty("lock", t("suggestions.no_consent"), t("suggestions.no_consent.how"));
    }
    return empty("bag", t("suggestions.none"), t("suggestions.none.how"), button(t("again"), { onclick: refresh }));
  }

  function afterHiding() {
    if (!serving.setStale) refresh();
    else drawSuggestions();
  }

  async function refresh() {
    if (!serving.set) fill(list, skeleton(4, t("suggestions.loading")));
    try {
      await loadSuggestions(id);
      await Promise.race([carded, new Promise((resolve) => setTimeout(resolve, TOGETHER))]);
      await whenLifted();
      drawSuggestions();
    } catch (error) {
      if (error instanceof Unreachable) fill(list, empty("offline", t("suggestions.offline"), t("suggestions.offline.how"), button(t("again"), { onclick: refresh })));
      else fill(list, problemLine(error, [button(t("again"), { onclick: refresh })]));
    }
  }

  async function start() {
    if (serving.card) drawCard();
    else fill(about, skeleton(5, t("loading")));
    if (serving.set) drawSuggestions();
    drawSeen();
    if (serving.card) cardHere();
    const suggestions = serving.set && !serving.setStale ? null : refresh();
    try {
      await loadCard(id, code);
      await whenLifted();
      drawCard();
      cardHere();
      if (drawnWith !== null && drawnWith !== ofCard()) drawSuggestions();
    } catch (error) {
      cardHere();
      if (serving.card) return;
      title.textContent = t("customer.unknown");
      fill(about, problemLine(error, [button(t("again"), { onclick: start })]));
    }
    await suggestions;
  }

  /** The network is back: what is old or missing is fetched, what the clerk has before their eyes stays. */
  function reload() {
    if (serving.stale || !serving.card) start();
    else if (serving.setStale || !serving.set) refresh();
  }

  function drawSeen() {
    fill(
      seen,
      serving.seen.length ? h("span", { class: "small soft" }, t("seen.title")) : null,
      serving.seen.map((product) => {
        const state = t(product.held ? "seen.held" : "seen.looked");
        return h(
          "span",
          { class: "chips" },
          h("button", { type: "button", class: "chip", "aria-pressed": String(Boolean(product.held)), "aria-label": t("seen.change", { product: product.name, state }), onclick: () => change(product, { ...product, held: !product.held }) }, icon(product.held ? "bag" : "search"), product.name, h("span", { class: "small" }, state)),
          h("button", { type: "button", class: "chip", "aria-label": t("seen.remove", { product: product.name }), onclick: () => change(product, null) }, icon("cross")),
        );
      }),
    );
  }

  /** Another state of an item in the customer's hands; null where it is put back. */
  function change(product, next) {
    serving.seen = serving.seen.map((other) => (other === product ? next : other)).filter(Boolean);
    drawSeen();
    refresh();
  }

  function onSeen(product) {
    if (serving.seen.some((other) => other.product_id === product.product_id)) return;
    serving.seen = [...serving.seen, product].slice(-5);
    drawSeen();
    refresh();
  }

  /** A number on the web shop's screen: asks before that browser becomes this customer's. */
  function onVisitor({ code: shown, visitor }) {
    if (serving.card) linkDialog(serving.card, shown, visitor, afterChange);
  }

  const deaf = hear("refused", (entry) => {
    if (entry.kind !== "redemption" || !serving.redeemed?.has(entry.label.coupon)) return;
    serving.redeemed.set(entry.label.coupon, "refused");
    if (serving.card) drawCard();
  });
  start();
  return {
    title: t("customer.title"),
    dispose: deaf,
    onSeen,
    onVisitor,
    reload,
    element: h(
      "div",
      { class: "serve" },
      h(
        "div",
        { class: "serve__head" },
        h("div", { class: "serve__title" }, title, reading, kana),
        h("div", { class: "row" }, show, button(t("customer.end"), { icon: "check", onclick: () => { endServing(id); go("#/find"); } })),
      ),
      about,
      h("section", { class: "serve__suggestions", "aria-labelledby": "suggestions-title" }, h("div", { class: "row row--apart" }, h("h2", { id: "suggestions-title" }, t("suggestions.title")), seen), list),
      more,
    ),
  };
}

function nameOf(card) {
  return t("customer.sama", { name: card.name ?? t("customer.unnamed") });
}
