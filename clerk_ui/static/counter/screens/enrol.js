// A tablet that belongs to no store yet.

import { button, fill, h, icon } from "../dom.js";
import { t } from "../language.js";
import { problemLine } from "../parts/problem_line.js";
import { enrol } from "../session.js";

/** The screen that binds this tablet to a store. */
export function enrolScreen({ proceed }) {
  const trouble = h("div", { "aria-live": "assertive" });
  const code = h("input", {
    id: "enrol-code",
    class: "input input--code",
    autocomplete: "off",
    autocapitalize: "characters",
    spellcheck: "false",
    required: true,
    "aria-describedby": "enrol-help",
  });
  const go = button(t("enrol.go"), { kind: "main large", type: "submit" });
  const form = h(
    "form",
    {
      class: "gate__form stack",
      onsubmit: async (event) => {
        event.preventDefault();
        go.disabled = true;
        try {
          await enrol(code.value.trim());
          proceed();
        } catch (error) {
          fill(trouble, problemLine(error));
          go.disabled = false;
          code.focus();
        }
      },
    },
    h("div", { class: "field" }, h("label", { class: "field__label", for: "enrol-code" }, t("enrol.code")), code),
    h("p", { id: "enrol-help", class: "small soft" }, t("enrol.help")),
    trouble,
    go,
  );
  return {
    title: t("enrol.title"),
    element: h(
      "div",
      { class: "gate" },
      h("div", { class: "gate__brand" }, icon("noren", "gate__mark"), h("p", { class: "gate__name" }, t("app.name"))),
      h("h1", { tabindex: "-1" }, t("enrol.title")),
      h("p", { class: "soft" }, t("enrol.lead")),
      form,
    ),
  };
}
