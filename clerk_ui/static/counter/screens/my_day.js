// A clerk's own day: only their own figures, what they promised, what to try.

import { button, empty, fill, h, icon, notice, skeleton } from "../dom.js";
import { day, number, percent, when } from "../figures.js";
import { liveCards, noteSeen } from "../know_how.js";
import { t } from "../language.js";
import { openDialog } from "../parts/dialog.js";
import { focusList } from "../parts/focus.js";
import { problemLine } from "../parts/problem_line.js";
import { knowHowCard } from "../parts/know_how_card.js";
import { say } from "../parts/undo_bar.js";
import { get, Unreachable } from "../requests.js";
import { current } from "../session.js";
import { finishFollowUp, recordOutcome, RESULTS } from "../taps.js";
import { keepValue, readValue } from "../database.js";

const ENOUGH = 30;
const MOST = 12;
const CARDS = 3;

function figure(label, value, note) {
  return h("div", { class: "tile" }, h("dt", { class: "tile__label" }, label), h("dd", {}, h("span", { class: "tile__value figure" }, value), note && h("span", { class: "small soft" }, note)));
}

function figures(today, span) {
  const rate = span.proposed >= ENOUGH ? t("day.rate", { rate: percent(span.accepted / span.proposed), n: number(span.proposed) }) : t("day.small");
  return h(
    "dl",
    { class: "tiles" },
    figure(t("day.customers"), number(today.customers)),
    figure(t("day.proposed"), number(today.proposed)),
    figure(t("day.bought"), number(today.accepted), rate),
    figure(t("day.confirmed"), number(today.confirmed), t("day.confirmed.note")),
  );
}

function tasks(list) {
  const element = h("ul", { class: "rows" });
  const row = (task) => {
    const item = h(
      "li",
      { class: "task" },
      h("a", { class: "rowlink__name", href: `#/customer/${encodeURIComponent(task.customer_id)}` }, h("strong", {}, t("customer.sama", { name: task.customer_name ?? t("customer.unnamed") })), h("span", { class: "small soft" }, [task.text, day(task.due_on)].filter(Boolean).join(" ・ "))),
      button(t("follow_up.done"), { icon: "check", onclick: async (event) => { event.currentTarget.disabled = true; await finishFollowUp(task); item.remove(); say(t("follow_up.done.said")); } }),
    );
    return item;
  };
  fill(element, list.map(row));
  return element;
}

/** One of today's taps; until the store's day is over it can still be corrected. */
function outcomeRow(one) {
  const name = one.product_name ?? one.product_id;
  const item = h("li", { class: "task" });
  const untapped = one.outcome_id.startsWith("till:");
  const suggestion = { suggestion_id: one.suggestion_id, product: { name } };

  function correct() {
    openDialog(name, (close) => [
      h("p", {}, t("day.correct.lead")),
      h(
        "div",
        { class: "choices" },
        RESULTS.filter((result) => result !== one.result).map((result) =>
          button(t(`result.${result}`), {
            onclick: async () => {
              close();
              await recordOutcome(suggestion, result);
              one.result = result;
              fillRow();
              say(t("outcome.recorded", { product: name, result: t(`result.${result}`) }));
            },
          }),
        ),
      ),
    ]);
  }

  function fillRow() {
    fill(
      item,
      h(
        "div",
        { class: "rowlink__name" },
        h("span", {}, name),
        h("span", { class: "row small soft" }, h("strong", {}, t(untapped ? "day.untapped" : `result.${one.result}`)), when(one.occurred_at), one.confirmed && h("span", { class: "badge badge--good" }, icon("check"), t("day.till"))),
      ),
      untapped ? null : button(t("outcome.change"), { kind: "plain", "aria-label": t("day.correct.of", { product: name }), onclick: correct }),
    );
  }

  fillRow();
  return item;
}

function draw(place, data) {
  const followUps = data.follow_ups;
  const cards = data.cards ?? [];
  const { focus } = data;
  const outcomes = [...data.outcomes, ...(data.without_tap ?? [])].sort((a, b) => b.occurred_at.localeCompare(a.occurred_at));
  fill(
    place,
    figures(data.figures, data.last_28_days),
    h(
      "div",
      { class: "find__columns" },
      h("section", { class: "panel stack" }, h("h2", {}, t("day.follow_ups")), followUps.length ? tasks(followUps) : empty("bell", t("day.follow_ups.none"), t("day.follow_ups.none.how"))),
      h(
        "section",
        { class: "panel stack" },
        h("h2", {}, t("day.focus")),
        focusList(focus, data.lists ?? null),
      ),
      h(
        "section",
        { class: "panel stack" },
        h("h2", {}, t("day.know_how")),
        cards.length
          ? h("ul", { class: "stack" }, cards.slice(0, CARDS).map((card) => h("li", {}, knowHowCard(card))))
          : empty("voice", t("day.know_how.none"), t("day.know_how.none.how")),
      ),
      h(
        "section",
        { class: "panel stack" },
        h("h2", {}, t("day.outcomes")),
        outcomes.length
          ? [h("ul", { class: "rows" }, outcomes.slice(0, MOST).map(outcomeRow)), outcomes.length > MOST && h("p", { class: "small soft" }, t("day.outcomes.more", { n: outcomes.length - MOST }))]
          : empty("bag", t("day.outcomes.none"), t("day.outcomes.none.how")),
      ),
    ),
  );
}

/** To whom to propose this week's focus merchandise; null where the server has trouble with it, the day goes on. */
async function focusLists() {
  try {
    return await get("/api/focus");
  } catch (error) {
    if (error instanceof Unreachable) throw error;
    return null;
  }
}

/** My day. */
export function myDayScreen() {
  const place = h("div", { class: "stack" }, skeleton(4, t("loading")));
  const person = current().person;
  const key = `day:${person?.account_id}`;

  async function load() {
    try {
      const [day, cards, lists] = await Promise.all([get("/api/me/day"), liveCards(), focusLists()]);
      const data = { ...day, cards, lists };
      draw(place, data);
      noteSeen(cards.slice(0, CARDS)).catch(() => {});
      keepValue(key, data).catch(() => {});
    } catch (error) {
      const kept = error instanceof Unreachable ? await readValue(key) : null;
      if (kept) {
        draw(place, kept);
        place.prepend(notice(t("day.stale"), { kind: "warn", icon: "offline" }));
      } else fill(place, problemLine(error, [button(t("again"), { onclick: load })]));
    }
  }

  load();
  return {
    title: t("day.title"),
    reload: load,
    element: h("div", { class: "page" }, h("h1", { tabindex: "-1" }, t("day.hello", { name: person?.name ?? "" })), h("p", { class: "soft small" }, t("day.private")), h("p", {}, h("a", { class: "button", href: "/store/me" }, icon("chart"), h("span", {}, t("day.record")))), place),
  };
}
