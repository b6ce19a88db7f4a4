// What has not reached the server yet, and what it refused: nobody's work disappears.

import { button, empty, fill, h, icon, notice } from "../dom.js";
import { when } from "../figures.js";
import { t } from "../language.js";
import { confirmFirst } from "../parts/dialog.js";
import { problemWords } from "../parts/trouble.js";
import { entries, flush, retry, settle } from "../outbox.js";
import { isReachable } from "../requests.js";
import { hear } from "../signals.js";

function what(entry) {
  const label = entry.label ?? {};
  return t(`entry.${entry.kind}`, {
    ...label,
    result: label.result ? t(`result.${label.result}`) : "",
    answer: label.answer ? t(`offer.${label.answer}`) : "",
  });
}

function waitingRow(entry) {
  return h("li", { class: "entry" }, icon("clock"), h("div", {}, h("strong", {}, what(entry)), h("p", { class: "small soft" }, t("entry.by", { name: entry.person?.name ?? "", time: when(entry.made_at) }))));
}

function refusedRow(entry) {
  const { what: why, todo } = problemWords(entry.problem);
  return h(
    "li",
    { class: "entry entry--refused" },
    icon("warn"),
    h(
      "div",
      { class: "stack stack--tight" },
      h("strong", {}, what(entry)),
      h("p", {}, why),
      h("p", { class: "small" }, todo),
      h("p", { class: "small soft" }, t("entry.by", { name: entry.person?.name ?? "", time: when(entry.made_at) })),
      h("div", { class: "row" }, button(t("entry.retry"), { icon: "repeat", onclick: () => retry(entry.id) }), button(t("entry.settle"), { kind: "plain", onclick: () => confirmFirst(t("entry.settle"), t("entry.settle.text"), t("entry.settle"), () => settle(entry.id)) })),
    ),
  );
}

/** The outbox. */
export function outboxScreen() {
  const place = h("div", { class: "stack" });

  async function draw() {
    const all = await entries();
    const waiting = all.filter((entry) => entry.state === "waiting");
    const refused = all.filter((entry) => entry.state === "refused");
    const settled = all.filter((entry) => entry.state === "settled");
    fill(
      place,
      !isReachable() && notice(t("outbox.offline"), { kind: "warn", icon: "offline" }),
      refused.length ? h("section", { class: "panel stack" }, h("h2", {}, t("outbox.refused", { n: refused.length })), h("ul", { class: "rows" }, refused.map(refusedRow))) : null,
      waiting.length
        ? h("section", { class: "panel stack" }, h("div", { class: "row row--apart" }, h("h2", {}, t("outbox.waiting", { n: waiting.length })), button(t("outbox.send"), { icon: "outbox", kind: "main", onclick: flush })), h("ul", { class: "rows" }, waiting.slice(0, 50).map(waitingRow)), waiting.length > 50 && h("p", { class: "small soft" }, t("outbox.more", { n: waiting.length - 50 })))
        : null,
      !waiting.length && !refused.length ? h("section", { class: "panel" }, empty("check", t("outbox.empty"), t("outbox.empty.how"))) : null,
      settled.length ? h("details", { class: "panel" }, h("summary", {}, t("outbox.settled", { n: settled.length })), h("ul", { class: "rows" }, settled.map(waitingRow))) : null,
    );
  }

  draw();
  const deaf = [hear("outbox", draw), hear("network", draw)];
  return {
    title: t("outbox.title"),
    dispose: () => deaf.forEach((stop) => stop()),
    element: h("div", { class: "page" }, h("h1", { tabindex: "-1" }, t("outbox.title")), h("p", { class: "soft small" }, t("outbox.lead")), place),
  };
}
