// One dialog at a time, in the browser's own element: focus stays inside, Escape closes it.

import { button, h, icon } from "../dom.js";
import { t } from "../language.js";

let made = 0;

/** Open a dialog; answers the element. `content(close)` makes what is in it. */
export function openDialog(title, content, { wide = false } = {}) {
  document.querySelector("dialog.dialog")?.close();
  const id = `dialog-${(made += 1)}`;
  const close = () => dialog.close();
  const dialog = h(
    "dialog",
    { class: `dialog ${wide ? "dialog--wide" : ""}`.trim(), "aria-labelledby": id },
    h(
      "div",
      { class: "dialog__head" },
      h("h2", { id, tabindex: "-1", autofocus: true }, title),
      h("button", { type: "button", class: "button button--plain", "aria-label": t("close"), onclick: close }, icon("cross")),
    ),
    h("div", { class: "dialog__body" }, content(close)),
  );
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Close whatever dialog is open. */
export function closeDialogs() {
  document.querySelector("dialog.dialog")?.close();
}

/** Ask before something that cannot be taken back. */
export function confirmFirst(title, text, action, onYes) {
  openDialog(title, (close) => [
    h("p", {}, text),
    h(
      "div",
      { class: "row dialog__actions" },
      button(t("cancel"), { onclick: close }),
      button(action, {
        kind: "danger",
        onclick: () => {
          close();
          onYes();
        },
      }),
    ),
  ]);
}
