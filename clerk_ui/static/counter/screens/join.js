// A new member: the customer reads a code with the own phone and types there. This screen faces the customer, so
// it says nothing but that; when they have joined, their card opens by itself.

import { button, fill, h, icon, s, skeleton } from "../dom.js";
import { now } from "../clock.js";
import { t } from "../language.js";
import { problemLine } from "../parts/problem_line.js";
import { get, post, Refused, Unreachable } from "../requests.js";

const ASK_EVERY = 2_000;

function drawn(code) {
  return s(
    "svg",
    { class: "join__code", viewBox: `0 0 ${code.width} ${code.height}`, role: "img", "aria-label": t("join.code"), "shape-rendering": "crispEdges" },
    s("path", { d: code.path }),
  );
}

/** The screen that shows the code and waits for the customer. */
export function joinScreen({ go }) {
  const stage = h("div", { class: "join__stage" }, skeleton(4, t("loading")));
  const state = h("p", { class: "join__state", role: "status" });
  const left = h("span", { class: "figure" });
  let timer = null;
  let over = false;

  async function start() {
    stop();
    over = false;
    try {
      const made = await post("/api/invitations", {});
      if (over) return;
      fill(
        stage,
        drawn(made.qr),
        h(
          "div",
          { class: "join__words" },
          h("h2", { class: "join__lead" }, t("join.lead")),
          h("p", { class: "join__other", lang: t("join.other.lang") }, t("join.other")),
          h("ol", { class: "join__steps" }, ["read", "write", "done"].map((step) => h("li", {}, t(`join.step.${step}`)))),
          state,
          h("p", { class: "small soft" }, t("join.left"), " ", left),
        ),
      );
      say("waiting");
      timer = setInterval(() => look(made), ASK_EVERY);
      count(made);
    } catch (error) {
      fill(stage, problemLine(error, [button(t("again"), { onclick: start })]));
    }
  }

  function say(name) {
    fill(state, icon(name === "opened" ? "pen" : "clock"), h("span", {}, t(`join.state.${name}`)));
    state.dataset.state = name;
  }

  function count(made) {
    const seconds = Math.max(0, Math.round((Date.parse(made.expires_at) - now()) / 1000));
    left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }

  async function look(made) {
    count(made);
    try {
      const found = await get(`/api/invitations/${made.invitation_id}`);
      if (over) return;
      if (found.state === "joined") {
        stop();
        go(`#/customer/${encodeURIComponent(found.customer_id)}`);
      } else if (found.state === "expired") {
        stop();
        fill(stage, h("div", { class: "join__words" }, h("p", { class: "join__lead" }, t("join.expired")), button(t("join.again"), { icon: "repeat", kind: "main large", onclick: start })));
      } else if (state.dataset.state !== found.state) say(found.state);
    } catch (error) {
      // the phone goes its own way to the server: what it does there is seen when the network is back
      if (!(error instanceof Unreachable || error instanceof Refused)) throw error;
      if (!over && error instanceof Unreachable) say("offline");
    }
  }

  function stop() {
    over = true;
    clearInterval(timer);
  }

  start();
  return {
    title: t("join.title"),
    dispose: stop,
    element: h(
      "div",
      { class: "page join" },
      h("div", { class: "row row--apart" }, h("h1", { tabindex: "-1" }, t("join.title")), button(t("join.leave"), { icon: "back", onclick: () => go("#/find") })),
      stage,
    ),
  };
}
