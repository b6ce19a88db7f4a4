// This week's focus merchandise, and to which of today's customers to propose it in what words.

import { empty, h, icon } from "../dom.js";
import { day } from "../figures.js";
import { hasPhrase, t } from "../language.js";

const MOST = 5;

/** Somebody who is here or expected today; a tap opens them. The product is named where the `heading` does not. */
function customer(one, heading) {
  return h(
    "li",
    { class: "focus__customer" },
    h(
      "a",
      { class: "rowlink", href: `#/customer/${encodeURIComponent(one.customer_id)}` },
      h("strong", { class: "rowlink__name" }, t("customer.sama", { name: one.name ?? t("customer.unnamed") })),
      h("span", { class: "rowlink__detail small" }, hasPhrase(`expected.${one.today}`) && h("span", { class: "badge badge--ai" }, t(`expected.${one.today}`))),
      icon("next"),
    ),
    one.talk && h("p", { class: "suggestion__talk" }, t("talk", { text: one.talk })),
    h("p", { class: "small soft" }, [one.product !== heading && one.product, one.reason].filter(Boolean).join(" ・ ")),
  );
}

/** Those of a list to propose to today; whom the proposal would make leave a better purchase is left in peace. */
function today(list) {
  return list.customers.filter((one) => one.today && !one.better_left).slice(0, MOST);
}

function campaign(one, lists) {
  const list = lists?.campaigns.find((other) => other.campaign_id === one.campaign_id);
  const found = list ? today(list) : [];
  const heading = one.product_name ?? one.category ?? one.name;
  return h(
    "li",
    { class: "focus" },
    h("div", { class: "row row--apart" }, h("strong", {}, heading), h("span", { class: "small soft" }, t("day.focus.until", { day: day(one.ends_on) }))),
    found.length
      ? [h("p", { class: "small" }, t("day.focus.propose", { n: found.length })), h("ul", { class: "rows" }, found.map((each) => customer(each, heading)))]
      : lists && h("p", { class: "small soft" }, t(lists.made_at ? "day.focus.nobody" : "day.focus.unmade")),
  );
}

/** What goes under the heading; `lists` is null where the server could not give them. */
export function focusList(campaigns, lists) {
  if (!campaigns.length) return empty("flag", t("day.focus.none"), t("day.focus.none.how"));
  return h("ul", { class: "facts" }, campaigns.map((one) => campaign(one, lists)));
}
