// A coupon of the customer, from whichever channel it came, and using it here.

import { button, fill, h, icon } from "../dom.js";
import { day, money, percent } from "../figures.js";
import { hasPhrase, t } from "../language.js";
import { redeemCoupon } from "../taps.js";
import { confirmFirst } from "./dialog.js";
import { say } from "./undo_bar.js";

function value(coupon) {
  if (coupon.value === null || coupon.value === undefined) return "";
  if (coupon.kind === "percent") return t("coupon.percent", { value: percent(Number(coupon.value) / 100) });
  return t("coupon.amount", { value: money(coupon.value) });
}

/** Ask, then use the coupon; `serving.redeemed` remembers it, and what the server says against it. */
export function useCoupon(card, coupon, serving, done) {
  confirmFirst(t("coupon.confirm"), t("coupon.confirm.text", { name: coupon.name }), t("coupon.use"), async () => {
    serving.redeemed ??= new Map();
    serving.redeemed.set(coupon.coupon_id, "used");
    await redeemCoupon(card.customer_id, coupon);
    done();
    say(t("coupon.used.said", { name: coupon.name }));
  });
}

/** One coupon as a row. */
export function couponRow(card, coupon, serving) {
  const state = serving.redeemed?.get(coupon.coupon_id);
  const item = h("li", { class: "coupon" });
  const facts = [value(coupon), coupon.valid_until && t("coupon.until", { day: day(coupon.valid_until) }), hasPhrase(`channel.${coupon.channel}`) && t("coupon.from", { channel: t(`channel.${coupon.channel}`) })];
  fill(
    item,
    h("div", { class: "coupon__what" }, h("strong", {}, coupon.name), h("span", { class: "small" }, facts.filter(Boolean).join(" ・ "))),
    state === "used" && h("span", { class: "badge badge--good" }, icon("check"), t("coupon.used")),
    state === "refused" && h("span", { class: "badge badge--bad" }, icon("warn"), t("coupon.refused")),
    !state && button(t("coupon.use"), { "aria-label": t("coupon.use.of", { name: coupon.name }), onclick: () => useCoupon(card, coupon, serving, () => item.replaceWith(couponRow(card, coupon, serving))) }),
  );
  return item;
}
