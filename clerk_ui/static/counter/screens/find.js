// How a clerk gets to a customer: a scan anywhere, the camera, a search, or the list of who is expected.

import { button, empty, fill, h, icon, notice, s, skeleton } from "../dom.js";
import { ago, daysSince, when } from "../figures.js";
import { whenLifted } from "../fingers.js";
import { findCustomers } from "../finding.js";
import { hasPhrase, t } from "../language.js";
import { cameraAvailable, openCamera } from "../parts/camera.js";
import { problemLine } from "../parts/problem_line.js";
import { linkDialog } from "../parts/visitor_link.js";
import { say } from "../parts/undo_bar.js";
import { keptCustomers } from "../recent_customers.js";
import { get, post, Unreachable } from "../requests.js";
import { lastServed } from "../serving.js";

const MANY = 20;
const LOOK_EVERY = 30_000;

/** A member card under a scanner's light. */
function scanArt() {
  return s(
    "svg",
    { class: "welcome__art", viewBox: "0 0 160 96", "aria-hidden": "true" },
    s("rect", { class: "welcome__card", x: 20, y: 14, width: 120, height: 70, rx: 9 }),
    s("path", { class: "welcome__wave", d: "M20 40c20-14 40-14 60 0s40 14 60 0V23a9 9 0 0 0-9-9H29a9 9 0 0 0-9 9Z" }),
    s("path", { class: "welcome__bars", d: "M38 56v18M43 56v18M50 56v18M54 56v18M61 56v18M69 56v18M73 56v18M80 56v18M86 56v18M91 56v18M99 56v18M104 56v18M110 56v18M118 56v18M122 56v18" }),
    s("path", { class: "welcome__light", d: "M8 65h144" }),
  );
}

/** One customer in a list. */
export function customerRow(customer, detail, go) {
  return h(
    "li",
    {},
    h(
      "a",
      { class: "rowlink", href: `#/customer/${encodeURIComponent(customer.customer_id)}`, onclick: go },
      h(
        "span",
        { class: "rowlink__name" },
        h("strong", {}, t("customer.sama", { name: customer.name ?? t("customer.unnamed") })),
        customer.kana && h("span", { class: "small soft" }, customer.kana),
      ),
      h("span", { class: "rowlink__detail small" }, detail),
      icon("next"),
    ),
  );
}

/** The first screen after signing in. */
export function findScreen({ onCode, go }) {
  const results = h("div", { "aria-live": "polite", class: "find__results" });
  const expected = h("div", {}, skeleton(3, t("loading")));
  const recent = h("div", {});
  const tasks = h("div", {});
  let asked = null;
  let standing = ""; // the list as it stands; the same again leaves it alone, and the focus in it

  const field = h("input", {
    id: "find",
    type: "search",
    class: "input",
    placeholder: t("find.placeholder"),
    autocomplete: "off",
    spellcheck: "false",
    enterkeyhint: "search",
  });

  let timer = null;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, 250);
  });

  async function search() {
    const text = field.value.trim();
    asked?.abort();
    if (text.length < 1) {
      fill(results);
      return;
    }
    asked = new AbortController();
    const { signal } = asked;
    try {
      const { customers, stale } = await findCustomers(text, { signal });
      if (signal.aborted) return;
      const shown = customers.slice(0, MANY);
      fill(
        results,
        stale && notice(t("find.offline"), { kind: "warn", icon: "offline" }),
        shown.length
          ? h("ul", { class: "rows" }, shown.map((customer) => customerRow(customer, lastVisit(customer))))
          : empty("search", t("find.nobody", { text }), t("find.nobody.how")),
        customers.length >= MANY && h("p", { class: "small soft" }, t("find.too_many", { n: MANY })),
      );
    } catch (error) {
      if (!signal.aborted) fill(results, problemLine(error, [button(t("again"), { onclick: search })]));
    }
  }

  async function loadExpected() {
    try {
      const answered = await get("/api/expected");
      const told = JSON.stringify(answered);
      if (told === standing) return;
      await whenLifted();
      standing = told;
      fill(
        tasks,
        answered.follow_ups > 0 &&
          h("a", { class: "rowlink rowlink--task", href: "#/day" }, icon("bell"), h("span", {}, t("find.follow_ups", { n: answered.follow_ups })), icon("next")),
      );
      const list = byCustomer(answered.expected);
      fill(
        expected,
        list.length
          ? h("ul", { class: "rows" }, list.map((visits) => customerRow(visits[0], visits.map(expectedDetail))))
          : empty("door", t("find.expected.none"), t("find.expected.none.how")),
      );
    } catch (error) {
      standing = "";
      if (error instanceof Unreachable) fill(expected, notice(t("find.expected.offline"), { kind: "warn", icon: "offline" }));
      else fill(expected, problemLine(error, [button(t("again"), { onclick: loadExpected })]));
    }
  }

  async function loadRecent() {
    const kept = await keptCustomers();
    fill(
      recent,
      kept.length
        ? h("ul", { class: "rows" }, kept.slice(0, 6).map(({ card, kept_at }) => customerRow(card, t("find.seen_at", { time: when(kept_at) }))))
        : empty("card", t("find.recent.none"), t("find.recent.none.how")),
    );
  }

  // who is next finds suggestions ready; that they are not is no trouble to anybody
  loadExpected().then(() => post("/api/expected/suggestions", {}, { quiet: true }).catch(() => {}));
  loadRecent();
  const looking = setInterval(() => document.visibilityState === "visible" && loadExpected(), LOOK_EVERY);
  const serving = lastServed();

  /** A number on the web shop's screen, by this screen's camera: for whom is being served, if anybody is. */
  function onVisitor({ code, visitor }) {
    if (!serving) return say(t("scan.visitor"), "warn");
    return linkDialog(serving.card, code, visitor, () => {
      serving.set = null; // they are chosen anew with what is known now
      go(`#/customer/${encodeURIComponent(serving.key)}`);
    });
  }

  return {
    title: t("find.title"),
    reload: loadExpected,
    onVisitor,
    dispose: () => {
      clearInterval(looking);
      asked?.abort();
    },
    element: h(
      "div",
      { class: "page find" },
      h("h1", { tabindex: "-1" }, t("find.title")),
      serving &&
        h("a", { class: "rowlink rowlink--now", href: `#/customer/${encodeURIComponent(serving.key)}` }, icon("card"), h("span", {}, t("find.now", { name: serving.card.name })), icon("next")),
      h(
        "div",
        { class: "welcome" },
        scanArt(),
        h("div", { class: "stack stack--tight" }, h("p", { class: "welcome__lead" }, t("find.lead")), h("p", { class: "small" }, t("find.hint"))),
      ),
      h(
        "form",
        { class: "find__bar", role: "search", onsubmit: async (event) => { event.preventDefault(); clearTimeout(timer); await search(); results.querySelector(".rowlink")?.focus(); } },
        h("label", { for: "find", class: "unseen" }, t("find.label")),
        h("div", { class: "find__field" }, icon("search"), field),
        cameraAvailable() && button(t("camera"), { icon: "camera", onclick: () => openCamera(onCode) }),
        h("a", { class: "button", href: "#/join" }, icon("card"), h("span", {}, t("join.open"))),
      ),
      results,
      tasks,
      h(
        "div",
        { class: "find__columns" },
        h("section", { class: "panel stack", "aria-labelledby": "expected-title" }, h("h2", { id: "expected-title" }, t("find.expected")), expected),
        h("section", { class: "panel stack", "aria-labelledby": "recent-title" }, h("h2", { id: "recent-title" }, t("find.recent")), recent),
      ),
    ),
  };
}

function lastVisit(customer) {
  const days = customer.last_visit_at ? daysSince(customer.last_visit_at) : null;
  return days === null ? t("customer.first_visit") : t("customer.last_visit", { ago: ago(days) });
}

/** One row a person: who has checked in to collect an order is one customer, not two. */
function byCustomer(list) {
  const people = new Map();
  for (const visit of list) people.set(visit.customer_id, [...(people.get(visit.customer_id) ?? []), visit]);
  return [...people.values()];
}

function expectedDetail(visit) {
  const { source, at, attended } = visit;
  return h(
    "span",
    { class: "expected" },
    attended && h("span", { class: "badge" }, icon("check"), t("expected.attended")),
    !attended && hasPhrase(`expected.${source}`) && h("span", { class: `badge badge--${source === "checkin" ? "good" : "ai"}` }, t(`expected.${source}`)),
    at && h("time", { datetime: at }, ` ${when(at)}`),
  );
}
