// A number on the web shop's or the app's screen, scanned beside an open customer: links that browser to them.

import { button, h, notice } from "../dom.js";
import { day } from "../figures.js";
import { t } from "../language.js";
import { send } from "../requests.js";
import { openDialog } from "./dialog.js";
import { problemLine } from "./problem_line.js";
import { say } from "./undo_bar.js";

/** Ask, with what would be linked; `linked()` is called once it is. Without consent there is nothing to ask. */
export function linkDialog(card, code, visitor, linked) {
  const name = t("customer.sama", { name: card.name ?? t("customer.unnamed") });
  openDialog(t(`visitor.title.${visitor.kind}`), (close) => {
    if (!card.consent.may_profile) {
      return [h("p", {}, t("visitor.no_consent", { name })), h("div", { class: "row dialog__actions" }, button(t("close"), { onclick: close }))];
    }
    const trouble = h("div", { "aria-live": "polite" });
    const go = button(t("visitor.link"), { icon: "check", kind: "main", onclick: link });

    async function link() {
      go.disabled = true;
      try {
        const { data } = await send("PUT", `/api/visitor-codes/${encodeURIComponent(code)}/customer`, { customer_id: card.customer_id });
        close();
        say(t("visitor.linked", { name, n: data.facts }));
        linked();
      } catch (error) {
        if (error.status === 409) go.remove(); // trying again would change nothing
        else go.disabled = false;
        trouble.replaceChildren(error.status === 409 ? notice(t("visitor.taken"), { kind: "bad", icon: "warn" }) : problemLine(error));
      }
    }

    return [
      h("p", { class: "bold" }, t("visitor.ask", { name })),
      h("p", {}, visitor.events ? t("visitor.what", { n: visitor.events, day: day(visitor.since) }) : t("visitor.nothing")),
      h("p", { class: "small soft" }, t("visitor.note")),
      trouble,
      h("div", { class: "row dialog__actions" }, button(t("cancel"), { onclick: close }), go),
    ];
  });
}
