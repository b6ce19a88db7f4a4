// One know-how card: what to do, what to say, and a tap that says «I tried it».

import { button, h, icon } from "../dom.js";
import { t } from "../language.js";
import { signature } from "../session.js";
import { useCard } from "../taps.js";
import { say } from "./undo_bar.js";

const tried = new Set(); // in this window: nobody need press twice for one customer

/** The card as an element; `suggestion` is the one it was shown beside, if any. */
export function knowHowCard(card, suggestion = null) {
  const key = [signature().account_id, card.card_id, suggestion?.suggestion_id].join(" ");
  const done = h("span", { class: "badge badge--good" }, icon("check"), t("know_how.tried"));
  const go = button(t("know_how.try"), { icon: "check", "aria-label": t("know_how.try.of", { title: card.title }), onclick: async () => {
    tried.add(key);
    go.replaceWith(done);
    await useCard(card, "tried", suggestion);
    say(t("know_how.tried.said"));
  } });
  return h(
    "div",
    { class: "knowhow" },
    h("p", { class: "knowhow__title" }, icon("voice"), h("strong", {}, card.title)),
    card.how && h("p", { class: "small" }, card.how),
    card.talk_line && h("p", { class: "suggestion__talk" }, t("talk", { text: card.talk_line })),
    h("div", {}, tried.has(key) ? done : go),
  );
}
