// What we know of the customer, in the order in which a clerk needs it.

import { button, fill, h, icon } from "../dom.js";
import { ago, daysSince, when } from "../figures.js";
import { hasPhrase, t } from "../language.js";
import { draftOf, keepDraft } from "../drafts.js";
import { signature } from "../session.js";
import { writeNote } from "../taps.js";
import { consentButton } from "./consent.js";
import { couponRow } from "./coupon.js";
import { say } from "./undo_bar.js";

function section(title, name, count, ...children) {
  return h("section", { class: "about" }, h("h2", { class: "about__title" }, icon(name), title, count ? h("span", { class: "count" }, count) : null), children);
}

function headLine(card, changed) {
  // kept cards grow older: count from the moment, not from when they were fetched
  const days = card.last_visit_at ? daysSince(card.last_visit_at) : null;
  return h(
    "div",
    { class: "about about--head" },
    h(
      "div",
      { class: "row" },
      card.tier && h("span", { class: "badge badge--kaki" }, icon("star"), hasPhrase(`tier.${card.tier}`) ? t(`tier.${card.tier}`) : card.tier),
      h("span", { class: "bold" }, days === null ? t("customer.first_visit") : t("customer.last_visit", { ago: ago(days) })),
    ),
    consentButton(card, changed),
  );
}

function orders(card) {
  const list = card.orders;
  if (!list.length) return null;
  return section(t("orders.title"), "parcel", list.length, h("ul", { class: "facts" }, list.map((order) => h("li", {}, h("strong", {}, order.order_id), " ", order.pickup_at && t("orders.pickup", { time: when(order.pickup_at) }), !order.here && h("span", { class: "badge badge--warn" }, t("orders.elsewhere")), order.status && hasPhrase(`orders.${order.status}`) ? h("span", { class: "badge badge--good" }, t(`orders.${order.status}`)) : null))));
}

function coupons(card, serving) {
  const list = card.coupons;
  if (!list.length) return null;
  return section(t("coupon.title"), "coupon", list.length, h("ul", { class: "facts" }, list.map((coupon) => couponRow(card, coupon, serving))));
}

function interests(card) {
  const list = card.web_interests;
  if (!list.length) return section(t("web.title"), "globe", 0, h("p", { class: "small soft" }, t("web.none")));
  return section(t("web.title"), "globe", list.length, h("ul", { class: "facts" }, list.slice(0, 6).map((event) => h("li", { class: "interest" }, h("span", {}, event.product_name ?? event.query ?? event.content_id ?? ""), h("span", { class: "small soft" }, [hasPhrase(`web.${event.kind}`) && t(`web.${event.kind}`), event.times > 1 && t("web.times", { n: event.times }), when(event.last_at)].filter(Boolean).join(" ・ "))))));
}

function lastAnswer(card) {
  const answer = card.last_answer;
  if (!answer) return null;
  const score = answer.score !== null && answer.score !== undefined ? t("answer.score", { score: answer.score, max: answer.scale_max ?? 10 }) : null;
  return section(t("answer.title"), "voice", 0, answer.comment && h("blockquote", { class: "about__quote" }, answer.comment), h("p", { class: "small soft" }, [score, when(answer.answered_at)].filter(Boolean).join(" ・ ")));
}

function frequent(card) {
  const list = card.frequent_products;
  if (!list.length) return null;
  return section(t("frequent.title"), "repeat", 0, h("ul", { class: "facts" }, list.slice(0, 5).map((product) => h("li", { class: "row row--apart" }, h("span", {}, product.name), h("span", { class: "small soft" }, t("frequent.times", { n: product.times })))) ));
}

function notes(card) {
  const kept = h("ul", { class: "facts" });
  const row = (note) => h("li", { class: "note" }, h("p", {}, note.text), h("p", { class: "small soft" }, [note.clerk_name, note.written_at && when(note.written_at)].filter(Boolean).join(" ・ ")));
  fill(kept, card.notes.slice(0, 5).map(row));
  const field = h("textarea", { id: "note", class: "input", rows: 2, maxlength: 500, placeholder: t("notes.placeholder") });
  const { account_id: account, name } = signature();
  draftOf(account).then((draft) => {
    if (!field.value) field.value = draft.notes[card.customer_id] ?? "";
  });
  field.addEventListener("input", () => keepDraft(account, { notes: { [card.customer_id]: field.value } }));
  const form = h(
    "form",
    { class: "stack stack--tight", onsubmit: async (event) => {
      event.preventDefault();
      const text = field.value.trim();
      if (!text) return;
      field.value = "";
      await keepDraft(account, { notes: { [card.customer_id]: "" } });
      await writeNote(card.customer_id, text);
      kept.prepend(row({ text, clerk_name: name }));
      say(t("notes.kept"));
    } },
    h("label", { for: "note", class: "unseen" }, t("notes.label")),
    field,
    button(t("notes.keep"), { icon: "pen", type: "submit" }),
  );
  return section(t("notes.title"), "pen", 0, kept, form);
}

/** What a clerk needs before the first word: who, since when, what waits for them. */
export function customerFirst(card, serving, changed) {
  return h("div", { class: "about__all" }, headLine(card, changed), orders(card), coupons(card, serving));
}

/** What helps the conversation along. */
export function customerMore(card) {
  return h("div", { class: "about__all" }, interests(card), lastAnswer(card), frequent(card), notes(card));
}
