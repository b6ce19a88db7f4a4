// The screen turned to the customer: large, and nothing internal. It replaces everything else on the page, so
// that no note, no name and no figure of ours is even in the document.

import { button, fill, h, icon } from "../dom.js";
import { closeDialogs } from "../parts/dialog.js";
import { t } from "../language.js";
import { picture, categoryLeaf } from "../parts/picture.js";
import { priceTag } from "../parts/suggestion.js";
import { hideUndo } from "../parts/undo_bar.js";
import { current } from "../session.js";

let showing = false;

/** Whether the screen is turned to the customer: scans and messages wait. */
export function isShowing() {
  return showing;
}

/** Show products to the customer; `back` draws the clerk's screen again. */
export function openShowing(suggestions, back) {
  const products = suggestions.map((suggestion) => suggestion.product).filter(Boolean);
  const app = document.getElementById("app");
  showing = true;
  closeDialogs();
  hideUndo();
  document.title = current().chain?.name ?? t("app.name");

  function leave() {
    showing = false;
    back();
  }

  const stage = h("div", { class: "show__stage" });
  const hand = h("div", { class: "show__hand" });

  function all() {
    fill(
      stage,
      h("h1", { class: "show__title", tabindex: "-1" }, t("show.title")),
      h(
        "ul",
        { class: `show__list show__list--${products.length}` },
        products.map((product) =>
          h("li", {}, h("button", { type: "button", class: "show__item", onclick: () => one(product) }, picture(product), h("span", { class: "show__text" }, h("span", { class: "show__name" }, product.name), priceTag(product.price)))),
        ),
      ),
    );
    stage.querySelector("h1").focus();
  }

  function one(product) {
    fill(
      stage,
      h(
        "article",
        { class: "show__one" },
        picture(product),
        h(
          "div",
          { class: "show__words" },
          h("p", { class: "show__brand" }, [product.brand, categoryLeaf(product.category)].filter(Boolean).join(" ・ ")),
          h("h1", { class: "show__title", tabindex: "-1" }, product.name),
          h("p", { class: "show__price" }, priceTag(product.price)),
          products.length > 1 && button(t("show.all"), { icon: "back", kind: "large", onclick: all }),
        ),
      ),
    );
    stage.querySelector("h1").focus();
  }

  function closed() {
    fill(
      hand,
      button(t("show.rotate"), { icon: "rotate", kind: "plain", onclick: () => app.firstElementChild.classList.toggle("show--upside-down") }),
      h("button", { type: "button", class: "button button--plain", "aria-label": t("show.staff"), onclick: opened }, icon("lock")),
    );
  }

  function opened() {
    fill(hand, button(t("show.stay"), { kind: "plain", onclick: closed }), button(t("show.leave"), { icon: "back", kind: "main", onclick: leave }));
    hand.querySelector(".button--main").focus();
  }

  fill(app, h("main", { class: "show", id: "main" }, h("p", { class: "show__shop" }, current().store?.name ?? ""), stage, hand));
  closed();
  if (products.length === 1) one(products[0]);
  else all();
}
