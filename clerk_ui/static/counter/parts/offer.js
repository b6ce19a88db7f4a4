// Something other than a product that serves the customer better: an order to hand over, a coupon, an event, the app.

import { button, fill, h, icon } from "../dom.js";
import { inTurn, isEcho } from "../fingers.js";
import { t } from "../language.js";
import { answerOffer } from "../taps.js";
import { useCoupon } from "./coupon.js";
import { offerUndo, say } from "./undo_bar.js";

const ICONS = { collect: "parcel", coupon: "coupon", event: "flag", join_app: "card" };

/** Offers this version has words for; a newer server may know more. */
export function knownOffers(card) {
  return (card?.offers ?? []).filter((offer) => offer.offer_id && offer.kind in ICONS);
}

/** The element for one offer; one tap answers it, and the tap can be taken back. */
export function offerCard(offer, serving, redrawCard) {
  serving.offered ??= new Map();
  const item = h("li", { class: "offer", "data-offer": offer.offer_id });
  const answer = () => serving.offered.get(offer.offer_id);
  const turn = inTurn();

  async function record(result) {
    if (answer() === result) return draw();
    serving.offered.set(offer.offer_id, result);
    await answerOffer(offer, result);
    draw();
    item.querySelector("button")?.focus({ preventScroll: true });
    offerUndo(t("offer.recorded", { title: offer.title, result: t(`offer.${offer.kind}.${result}`) }), () => turn(undo));
  }

  async function undo() {
    serving.offered.delete(offer.offer_id);
    await answerOffer(offer, "open");
    draw();
    say(t("outcome.undone"));
  }

  /** A coupon that is accepted is used at once; the server notes the offer as accepted by itself. */
  function accept() {
    const coupon = offer.kind === "coupon" && serving.card?.coupons.find((one) => one.coupon_id === offer.subject);
    if (!coupon) return turn(() => record("accepted"));
    return useCoupon(serving.card, coupon, serving, () => {
      serving.offered.set(offer.offer_id, "accepted");
      draw();
      redrawCard();
    });
  }

  function open() {
    return [
      h("span", { class: "offer__sign" }, icon(ICONS[offer.kind])),
      h(
        "div",
        { class: "offer__body" },
        h("h3", { class: "offer__name" }, h("span", { class: "unseen" }, `${t(`offer.${offer.kind}`)}: `), offer.title),
        offer.text && h("p", { class: "small" }, offer.text),
        h("p", { class: "suggestion__talk" }, t("talk", { text: offer.talk })),
      ),
      h(
        "div",
        { class: "offer__answers", role: "group", "aria-label": t("offer.of", { title: offer.title }) },
        h("button", { type: "button", class: "outcome outcome--bought", onclick: (event) => isEcho(event) || accept() }, icon("check"), h("span", {}, t(`offer.${offer.kind}.accepted`))),
        h("button", { type: "button", class: "outcome outcome--declined", onclick: (event) => isEcho(event) || turn(() => record("declined")) }, icon("bow"), h("span", {}, t(`offer.${offer.kind}.declined`))),
      ),
    ];
  }

  function done(result) {
    return h(
      "div",
      { class: "recorded" },
      h("p", { class: `recorded__what recorded__what--${result === "accepted" ? "bought" : "declined"}` }, icon(result === "accepted" ? "check" : "bow"), h("strong", {}, t(`offer.${offer.kind}.${result}`)), h("span", {}, offer.title)),
      !serving.redeemed?.has(offer.subject) && button(t("outcome.change"), { kind: "plain", onclick: () => fill(item, open()) }),
    );
  }

  function draw() {
    const result = answer();
    item.className = result ? "suggestion suggestion--recorded" : "offer";
    fill(item, result ? done(result) : open());
  }

  draw();
  return item;
}

/**
 * Offers and suggestions as one list of at most `most`: an offer stands before the first suggestion that is less
 * likely to be taken up.
 */
export function mixed(offers, suggestions, most) {
  const list = [...suggestions];
  for (const offer of [...offers].sort((a, b) => a.usefulness - b.usefulness)) {
    const place = list.findIndex((one) => one.offer_id ? one.usefulness < offer.usefulness : (one.probability ?? 0) < offer.usefulness);
    list.splice(place < 0 ? list.length : place, 0, offer);
  }
  return list.slice(0, most);
}
