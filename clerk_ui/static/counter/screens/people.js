// Who is at the tablet: a face, then a PIN. Three seconds when one knows one's PIN.

import { button, empty, fill, h, icon, notice } from "../dom.js";
import { t } from "../language.js";
import { face } from "../parts/person.js";
import { problemLine } from "../parts/problem_line.js";
import { current, knownPeople, people, signIn } from "../session.js";
import { isReachable, Unreachable } from "../requests.js";

const LONGEST = 6;
const SHORTEST = 4;

/** The screen where people change. */
export function peopleScreen({ proceed, counts }) {
  const place = h("div", { class: "people" });
  const element = h(
    "div",
    { class: "gate gate--people" },
    h("div", { class: "gate__brand" }, icon("noren", "gate__mark"), h("p", { class: "gate__name" }, current().store?.name ?? t("app.name"))),
    h("h1", { tabindex: "-1" }, t("people.title")),
    counts.waiting ? notice(t("people.waiting", { n: counts.waiting }), { icon: "outbox" }) : null,
    place,
  );

  let drawn = "";

  function draw(list) {
    drawn = JSON.stringify(list);
    if (!list.length) {
      fill(place, empty("people", t("people.none"), t("people.none.how"), button(t("again"), { onclick: load })));
      return;
    }
    fill(
      place,
      h(
        "ul",
        { class: "people__list" },
        list.map((person) =>
          h(
            "li",
            {},
            h("button", { type: "button", class: "person", "data-person": person.account_id, onclick: () => pad(person, list) }, face(person), h("span", { class: "person__name" }, person.name)),
          ),
        ),
      ),
    );
  }

  function pad(person, list) {
    fill(place, pinPad(person, { back: () => { draw(list); place.querySelector("button")?.focus(); }, proceed }));
    place.querySelector("input").focus();
  }

  async function load() {
    try {
      draw(await people());
    } catch (error) {
      fill(place, problemLine(error, [button(t("again"), { onclick: load })]));
    }
  }

  knownPeople().then((list) => {
    if (list.length && !place.children.length) draw(list);
    if (!place.querySelector("input")) refresh();
  });

  async function refresh() {
    try {
      const list = await people();
      // nobody's face goes away under a finger or a focus only to come back
      if (!place.querySelector("input") && JSON.stringify(list) !== drawn) draw(list);
    } catch (error) {
      if (!place.children.length) fill(place, problemLine(error, [button(t("again"), { onclick: load })]));
    }
  }

  return { title: t("people.title"), element, reload: refresh };
}

function pinPad(person, { back, proceed }) {
  const trouble = h("div", { "aria-live": "assertive" });
  const pin = h("input", {
    id: "pin",
    type: "password",
    class: "input pin__field",
    inputmode: "none",
    autocomplete: "off",
    maxlength: LONGEST,
    pattern: `[0-9]{${SHORTEST},${LONGEST}}`,
  });
  const dots = h("p", { class: "pin__dots", "aria-hidden": "true" });
  let form = null;
  const go = button(t("pin.go"), { kind: "main large", type: "submit", class: "button button--main button--large" });

  function show() {
    pin.value = pin.value.replace(/\D/g, "").slice(0, LONGEST);
    fill(dots, Array.from({ length: Math.max(SHORTEST, pin.value.length) }, (_, place) => h("span", { class: place < pin.value.length ? "pin__dot pin__dot--set" : "pin__dot" })));
    go.disabled = pin.value.length < SHORTEST || Boolean(form?.ariaBusy);
  }

  async function submit(event) {
    event.preventDefault();
    const tried = pin.value;
    if (tried.length < SHORTEST || form.ariaBusy) return;
    pin.value = ""; // digits that follow while this one is looked at belong to the next try
    form.ariaBusy = "true";
    show();
    try {
      await signIn(person, tried);
      await proceed();
    } catch (error) {
      form.ariaBusy = null;
      show();
      const offline = error instanceof Unreachable && !isReachable();
      fill(trouble, offline ? notice(t("pin.offline"), { kind: "warn", icon: "offline" }) : problemLine(error));
      pin.focus();
    }
  }

  const press = (digit) => () => {
    pin.value += digit;
    show();
  };
  const key = (label, action, extra = {}) => h("button", { type: "button", class: "pin__key figure", onclick: action, ...extra }, label);
  pin.addEventListener("input", show);
  form = h(
    "form",
    { class: "pin", onsubmit: submit, "aria-label": t("pin.title", { name: person.name }) },
    h("div", { class: "pin__who" }, face(person, "face--large"), h("h2", {}, person.name)),
    h("label", { for: "pin", class: "small soft" }, t("pin.label")),
    h("div", { class: "pin__entry" }, pin, dots),
    trouble,
    h(
      "div",
      { class: "pin__pad" },
      [1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => key(digit, press(digit))),
      key(icon("back"), back, { "aria-label": t("pin.other"), class: "pin__key pin__key--quiet" }),
      key(0, press(0)),
      key(icon("erase"), () => { pin.value = pin.value.slice(0, -1); show(); }, { "aria-label": t("pin.erase"), class: "pin__key pin__key--quiet" }),
    ),
    go,
  );
  show();
  return form;
}
