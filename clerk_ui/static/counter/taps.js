// What a clerk's taps become: outbox entries with ids made here, under the name of who tapped.

import { newId } from "./identifiers.js";
import { amend, enqueue, withdraw } from "./outbox.js";
import { signature } from "./session.js";

export const RESULTS = ["bought", "considering", "declined", "not_proposed"];

// What this tablet's own clock shows. Every request tells the server what it shows while sending, so that a
// clock that is a day off moves no outcome to another day.
function shown() {
  return new Date().toISOString();
}

function productLabel(suggestion) {
  return suggestion.product?.name ?? suggestion.title ?? suggestion.suggestion_id;
}

/** Record an outcome (or correct an earlier one of the same suggestion). Answers what the card remembers. */
export async function recordOutcome(suggestion, result, { why = null, before = null } = {}) {
  const person = signature();
  const body = {
    suggestion_id: suggestion.suggestion_id,
    clerk_id: person.clerk_id,
    result,
    ...(why ? { why } : {}),
    occurred_at: shown(),
  };
  if (before && before.body.result === result && before.body.clerk_id === person.clerk_id) {
    // only the reason came later: same tap, same moment
    body.occurred_at = before.body.occurred_at;
    if (await amend(before.id, body)) return { ...before, body };
    // it may have left already, and an id never changes its content: the reason travels as a correction
    body.occurred_at = shown();
  }
  const id = newId();
  const entry = await enqueue({
    id,
    kind: "outcome",
    method: "PUT",
    path: `/api/outcomes/${id}`,
    body,
    group: `suggestion:${suggestion.suggestion_id}`,
    person,
    label: { product: productLabel(suggestion), result },
  });
  const followUpOf = before?.body.result === result ? before.followUp : undefined;
  return { id, body, earlier: before ? [...before.earlier, before.id] : [], saved: entry.saved, followUp: followUpOf };
}

/** Take an outcome back, and the ones it corrected. */
export async function undoOutcome(suggestion, outcome) {
  for (const id of [outcome.id, ...outcome.earlier]) {
    if (await withdraw(id)) continue;
    await enqueue({
      kind: "undo",
      method: "DELETE",
      path: `/api/outcomes/${id}`,
      group: `suggestion:${suggestion.suggestion_id}`,
      person: signature(),
      label: { product: productLabel(suggestion), result: outcome.body.result },
    });
  }
}

/** «Not for this customer». */
export function dismiss(customerId, suggestion, why) {
  const id = newId();
  const person = signature();
  return enqueue({
    id,
    kind: "dismissal",
    method: "POST",
    path: "/api/dismissals",
    body: {
      dismissal_id: id,
      customer_id: customerId,
      product_id: suggestion.product.product_id,
      clerk_id: person.clerk_id,
      ...(why ? { why } : {}),
    },
    person,
    label: { product: productLabel(suggestion) },
  });
}

/** A clerk's note on a customer. */
export function writeNote(customerId, text) {
  const id = newId();
  const person = signature();
  return enqueue({
    id,
    kind: "note",
    method: "POST",
    path: `/api/customers/${encodeURIComponent(customerId)}/notes`,
    body: { note_id: id, text, clerk_id: person.clerk_id },
    person,
    label: { text: text.slice(0, 40) },
  });
}

/** A date on which to come back to a customer who is considering. */
export function followUp(customerId, suggestion, dueOn) {
  const id = newId();
  const person = signature();
  return enqueue({
    id,
    kind: "follow_up",
    method: "PUT",
    path: `/api/follow-ups/${id}`,
    body: {
      customer_id: customerId,
      suggestion_id: suggestion.suggestion_id,
      due_on: dueOn,
      text: productLabel(suggestion),
      clerk_id: person.clerk_id,
    },
    person,
    label: { product: productLabel(suggestion), date: dueOn },
  });
}

/** A follow-up is done. */
export function finishFollowUp(task) {
  return enqueue({
    kind: "follow_up",
    method: "POST",
    path: `/api/follow-ups/${task.follow_up_id}/done`,
    group: `follow-up:${task.follow_up_id}`,
    person: signature(),
    label: { product: task.text ?? "", date: task.due_on },
  });
}

/** What came of an offer: accepted, declined, or open again. */
export function answerOffer(offer, result) {
  const person = signature();
  return enqueue({
    kind: "offer",
    method: "PUT",
    path: `/api/offers/${encodeURIComponent(offer.offer_id)}`,
    body: { result, clerk_id: person.clerk_id, occurred_at: shown() },
    group: `offer:${offer.offer_id}`,
    person,
    label: { product: offer.title, answer: result === "open" ? "open" : `${offer.kind}.${result}` },
  });
}

/** What the customer allows or takes back: `{profiling}` or `{contact}`. */
export function recordConsent(customerId, answers, name) {
  const person = signature();
  return enqueue({
    kind: "consent",
    method: "PUT",
    path: `/api/customers/${encodeURIComponent(customerId)}/consent`,
    body: { ...answers, clerk_id: person.clerk_id },
    group: `consent:${customerId}`,
    person,
    label: { product: name ?? "" },
  });
}

/** A know-how card was seen, or tried beside a suggestion. */
export function useCard(card, kind, suggestion = null) {
  const id = newId();
  const person = signature();
  return enqueue({
    id,
    kind: `card_${kind}`,
    method: "PUT",
    path: `/api/know-how-cards/${encodeURIComponent(card.card_id)}/uses/${id}`,
    body: {
      kind,
      clerk_id: person.clerk_id,
      used_at: shown(),
      ...(suggestion ? { suggestion_id: suggestion.suggestion_id } : {}),
    },
    person,
    label: { product: card.title },
  });
}

/** Redeem a coupon at the counter. */
export function redeemCoupon(customerId, coupon) {
  const id = newId();
  const person = signature();
  return enqueue({
    id,
    kind: "redemption",
    method: "PUT",
    path: `/api/coupons/${encodeURIComponent(coupon.coupon_id)}/redemption`,
    body: { customer_id: customerId, redeemed_at: shown(), redemption_id: id, clerk_id: person.clerk_id },
    group: `coupon:${coupon.coupon_id}:${customerId}`,
    person,
    label: { product: coupon.name, coupon: coupon.coupon_id },
  });
}
