// What the customer allows: two answers, seen at a glance, written down with a tap each when they say otherwise.

import { h, icon } from "../dom.js";
import { t } from "../language.js";
import { flush } from "../outbox.js";
import { recordConsent } from "../taps.js";
import { openDialog } from "./dialog.js";
import { say } from "./undo_bar.js";

const QUESTIONS = ["profiling", "contact"];

function word(value) {
  return t(`consent.${value === false ? "no" : value ? "yes" : "unknown"}`);
}

/** The two answers as one button; `changed` is called once a new answer has had its chance to arrive. */
export function consentButton(card, changed) {
  const badge = (name) => h("span", { class: card.consent[name] === false ? "badge badge--bad" : "badge" }, t(`consent.${name}`, { value: word(card.consent[name]) }));
  return h("button", { type: "button", class: "consents", "aria-haspopup": "dialog", onclick: () => consentDialog(card, changed) }, QUESTIONS.map(badge), h("span", { class: "unseen" }, t("consent.change")), icon("pen"));
}

function consentDialog(card, changed) {
  openDialog(t("consent.title"), (close) => [
    h("p", { class: "soft" }, t("consent.lead")),
    QUESTIONS.map((name) =>
      h(
        "div",
        { class: "stack stack--tight", role: "group", "aria-label": t(`consent.ask.${name}`) },
        h("p", { class: "bold" }, t(`consent.ask.${name}`)),
        h(
          "div",
          { class: "row" },
          [true, false].map((answer) =>
            h("button", { type: "button", class: "chip", "aria-pressed": String(card.consent[name] === answer), onclick: () => choose(name, answer, close) }, t(answer ? "consent.says.yes" : "consent.says.no")),
          ),
        ),
      ),
    ),
  ]);

  async function choose(name, answer, close) {
    close();
    if (card.consent[name] === answer) return;
    card.consent[name] = answer;
    if (name === "profiling") card.consent.may_profile = answer;
    await recordConsent(card.customer_id, { [name]: answer }, card.name);
    say(t("consent.kept"));
    await Promise.race([flush(), new Promise((resolve) => setTimeout(resolve, 2000))]);
    changed();
  }
}
