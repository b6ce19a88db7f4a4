// One suggestion: what, why, what to say, what it costs, whether it is there; and the one tap that says what came of it.

import { button, h, icon } from "../dom.js";
import { day, dayAhead, money, number } from "../figures.js";
import { inTurn, isEcho } from "../fingers.js";
import { hasPhrase, t } from "../language.js";
import { flush } from "../outbox.js";
import { dismiss, followUp, RESULTS, recordOutcome, undoOutcome } from "../taps.js";
import { dismissDialog, suggestionDialog } from "./suggestion_details.js";
import { picture } from "./picture.js";
import { offerUndo, say } from "./undo_bar.js";

const ICONS = { bought: "bag", considering: "thought", declined: "bow", not_proposed: "dash" };
const REASONS = {
  bought: ["fits_need", "price", "talk_worked", "trial"],
  considering: ["price", "ask_family", "compare", "still_have"],
  declined: ["price", "taste", "size", "still_have", "no_time"],
  not_proposed: ["no_time", "no_stock", "does_not_fit", "customer_hurried"],
};

/** Words of a mark; unknown marks are left out rather than shown raw. */
export function markBadges(marks) {
  const kinds = { first_in_category: "kaki", first_purchase: "kaki", focus: "warn", new: "note", repeat: "ai", coupon: "good" };
  return (marks ?? [])
    .map((mark) => (typeof mark === "string" ? mark : mark.kind))
    .filter((mark) => hasPhrase(`mark.${mark}`))
    .map((mark) => h("span", { class: `badge badge--${kinds[mark] ?? "ai"}` }, t(`mark.${mark}`)));
}

/** Stock in words: the number here, or where else. */
export function stockLine(stock) {
  if (!stock || stock.here === null || stock.here === undefined) {
    return h("span", { class: "stock soft" }, t("stock.unknown"));
  }
  if (stock.here > 0) {
    const few = stock.here <= 2;
    return h("span", { class: `stock ${few ? "stock--few" : ""}` }, t(few ? "stock.few" : "stock.here", { n: number(stock.here) }));
  }
  const near = (stock.nearby ?? []).find((place) => place.quantity > 0);
  return h("span", { class: "stock stock--none" }, near ? t("stock.near", { store: near.name }) : t("stock.none"));
}

/** Price with tax, large enough for arm's length. */
export function priceTag(price) {
  if (price === null || price === undefined) return h("span", { class: "soft" }, t("price.unknown"));
  return h("span", { class: "price" }, money(price), h("small", {}, t("price.with_tax")));
}

/** The element for one suggestion; redraws itself as outcomes come. `customerId` is null on the anonymous path. */
export function suggestionCard(suggestion, serving, customerId, onHidden) {
  const item = h("li", { class: "suggestion", "data-suggestion": suggestion.suggestion_id });
  const outcome = () => serving.outcomes.get(suggestion.suggestion_id);
  const turn = inTurn();

  const tap = (result, why = null) => (event) => isEcho(event) || turn(() => record(result, why));

  async function record(result, why) {
    const before = outcome();
    const said = before && before.body.result === result && (before.body.why ?? null) === why;
    if (!said) serving.outcomes.set(suggestion.suggestion_id, await recordOutcome(suggestion, result, { why, before }));
    const former = serving.asking;
    serving.asking = suggestion.suggestion_id;
    draw();
    if (former !== serving.asking) serving.redraw?.get(former)?.();
    item.querySelector("button")?.focus({ preventScroll: true });
    offerUndo(t("outcome.recorded", { product: name, result: t(`result.${result}`) }), () => turn(undo));
  }

  async function undo() {
    const recorded = outcome();
    if (!recorded) return;
    serving.outcomes.delete(suggestion.suggestion_id);
    await undoOutcome(suggestion, recorded);
    draw();
    say(t("outcome.undone"));
  }

  async function hide(why) {
    serving.hidden.add(suggestion.product.product_id);
    item.remove();
    await dismiss(customerId, suggestion, why);
    // the next set must know of it; a slow network only delays the set
    await Promise.race([flush(), new Promise((resolve) => setTimeout(resolve, 2000))]);
    onHidden(suggestion);
  }

  const { product } = suggestion;
  const name = product?.name ?? suggestion.title ?? "";

  function open() {
    return [
      product && h("div", { class: "suggestion__picture" }, picture(product)),
      h(
        "div",
        { class: "suggestion__body" },
        h(
          "div",
          { class: "suggestion__title" },
          h(
            "h3",
            { class: "suggestion__name" },
            h("button", { type: "button", class: "suggestion__open", "aria-haspopup": "dialog", onclick: () => suggestionDialog(suggestion, customerId && hide) }, name, h("span", { class: "unseen" }, ` ${t("details")}`)),
          ),
          markBadges(suggestion.marks),
        ),
        h("p", { class: "suggestion__reason" }, icon("why"), h("span", {}, suggestion.reason)),
        talkText(suggestion.talk) && h("p", { class: "suggestion__talk" }, t("talk", { text: talkText(suggestion.talk) })),
        suggestion.know_how && h("p", { class: "suggestion__knowhow" }, icon("voice"), h("span", {}, t("know_how.fits", { title: suggestion.know_how.title }))),
      ),
      customerId && product &&
        h("button", { type: "button", class: "button button--plain suggestion__dismiss", "aria-label": t("dismiss.of", { product: name }), onclick: () => dismissDialog(suggestion, hide) }, t("dismiss.short")),
      h("div", { class: "suggestion__facts" }, priceTag(product?.price), stockLine(suggestion.stock)),
      h(
        "div",
        { class: "outcomes", role: "group", "aria-label": t("outcome.of", { product: name }) },
        RESULTS.map((result) =>
          h(
            "button",
            { type: "button", class: `outcome outcome--${result}`, onclick: tap(result) },
            icon(ICONS[result]),
            h("span", {}, t(`result.${result}`)),
          ),
        ),
      ),
    ];
  }

  function done(recorded) {
    const { result, why } = recorded.body;
    return h(
      "div",
      { class: "recorded" },
      h("p", { class: `recorded__what recorded__what--${result}` }, icon(ICONS[result]), h("strong", {}, t(`result.${result}`)), h("span", {}, name)),
      button(t("outcome.change"), { kind: "plain", onclick: () => reopen() }),
      serving.asking !== suggestion.suggestion_id ? whyLine(recorded) : null,
      serving.asking === suggestion.suggestion_id && h(
        "div",
        { class: "row recorded__why", role: "group", "aria-label": t("why.question") },
        h("span", { class: "small soft" }, t("why.question")),
        REASONS[result].map((reason) =>
          h("button", { type: "button", class: "chip", "aria-pressed": String(why === reason), onclick: tap(result, why === reason ? null : reason) }, t(`why.${reason}`)),
        ),
      ),
      result === "considering" && customerId && serving.asking === suggestion.suggestion_id && followUpRow(recorded),
    );
  }

  function whyLine(recorded) {
    const words = [recorded.body.why && t(`why.${recorded.body.why}`), recorded.followUp && t("follow_up.on", { day: day(recorded.followUp) })].filter(Boolean);
    return words.length ? h("p", { class: "small soft recorded__line" }, words.join(" ・ ")) : null;
  }

  function followUpRow(recorded) {
    const row = h("div", { class: "row recorded__why", role: "group", "aria-label": t("follow_up.question") });
    const choose = async (days) => {
      if (recorded.followUp) return;
      const due = dayAhead(days);
      recorded.followUp = due;
      await followUp(customerId, suggestion, due);
      draw();
      say(t("follow_up.kept", { day: day(due) }));
    };
    row.append(h("span", { class: "small soft" }, t("follow_up.question")));
    for (const days of [7, 14, 30]) {
      row.append(
        h("button", { type: "button", class: "chip", "aria-pressed": String(recorded.followUp === dayAhead(days)), disabled: Boolean(recorded.followUp), onclick: () => choose(days) }, t(`follow_up.in_${days}`)),
      );
    }
    return row;
  }

  function reopen() {
    item.className = "suggestion";
    item.replaceChildren(...open().filter(Boolean));
    item.querySelector(".outcome")?.focus({ preventScroll: true });
  }

  function draw() {
    const recorded = outcome();
    item.className = recorded ? "suggestion suggestion--recorded" : "suggestion";
    item.replaceChildren(...(recorded ? [done(recorded)] : open()).filter(Boolean));
  }

  serving.redraw ??= new Map();
  serving.redraw.set(suggestion.suggestion_id, draw);
  draw();
  return item;
}

/** The talk line as text, whether it came alone or with its evidence. */
export function talkText(talk) {
  return typeof talk === "string" ? talk : (talk?.text ?? talk?.line ?? "");
}
