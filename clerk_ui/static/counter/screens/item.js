// The anonymous path: no name needed, an item is enough.

import { button, empty, fill, h, icon, notice, skeleton } from "../dom.js";
import { findProducts } from "../finding.js";
import { t } from "../language.js";
import { cameraAvailable, openCamera } from "../parts/camera.js";
import { picture, categoryLeaf } from "../parts/picture.js";
import { problemLine } from "../parts/problem_line.js";
import { priceTag, stockLine, suggestionCard } from "../parts/suggestion.js";
import { loadForItem, servingOf } from "../serving.js";
import { shownOf } from "./customer.js";
import { openShowing } from "./showing.js";

/** Find an item by scan or name. */
export function itemSearchScreen({ onCode }) {
  const results = h("div", { "aria-live": "polite" });
  const field = h("input", { id: "find-item", type: "search", class: "input", placeholder: t("item.placeholder"), autocomplete: "off", enterkeyhint: "search" });
  let asked = null;
  let timer = null;

  async function search() {
    const text = field.value.trim();
    asked?.abort();
    if (!text) {
      fill(results, start());
      return;
    }
    asked = new AbortController();
    const { signal } = asked;
    try {
      const products = await findProducts(text, { signal });
      if (signal.aborted) return;
      fill(results, products.length ? h("ul", { class: "rows" }, products.slice(0, 20).map(row)) : empty("search", t("item.nothing", { text }), t("item.nothing.how")));
    } catch (error) {
      if (!signal.aborted) fill(results, problemLine(error, [button(t("again"), { onclick: search })]));
    }
  }

  function row(product) {
    return h("li", {}, h("a", { class: "rowlink", href: `#/item/${encodeURIComponent(product.product_id)}` }, h("span", { class: "rowlink__picture" }, picture(product)), h("span", { class: "rowlink__name" }, h("strong", {}, product.name), h("span", { class: "small soft" }, categoryLeaf(product.category))), h("span", { class: "rowlink__detail" }, priceTag(product.price)), icon("next")));
  }

  const start = () => empty("scan", t("item.start"), t("item.start.how"));
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, 250);
  });
  fill(results, start());
  return {
    title: t("item.title"),
    element: h(
      "div",
      { class: "page find" },
      h("h1", { tabindex: "-1" }, t("item.title")),
      h(
        "form",
        { class: "find__bar", role: "search", onsubmit: async (event) => { event.preventDefault(); clearTimeout(timer); await search(); results.querySelector(".rowlink")?.focus(); } },
        h("label", { for: "find-item", class: "unseen" }, t("item.label")),
        h("div", { class: "find__field" }, icon("search"), field),
        cameraAvailable() && button(t("camera"), { icon: "camera", onclick: () => openCamera(onCode) }),
      ),
      h("div", { class: "panel" }, results),
    ),
  };
}

/** What goes with one item. */
export function itemScreen({ id, redraw }) {
  const serving = servingOf(`item:${id}`);
  const about = h("aside", { class: "serve__about", "aria-label": t("item.about") });
  const list = h("div", { class: "serve__list" }, skeleton(4, t("suggestions.loading")));
  const title = h("h1", { tabindex: "-1", class: "serve__name" }, t("loading"));
  const show = button(t("show.open"), { icon: "turn", disabled: true, onclick: () => openShowing(shownOf(serving), redraw) });

  function draw() {
    const { item } = serving;
    title.textContent = item.name;
    fill(about, h("div", { class: "about about--item" }, picture(item), h("div", {}, h("p", { class: "soft small" }, [item.brand, categoryLeaf(item.category)].filter(Boolean).join(" ・ ")), h("p", { class: "row" }, priceTag(item.price), stockLine(item.stock)))), notice(t("item.anonymous"), { icon: "person" }));
    const shown = shownOf(serving);
    show.disabled = !shown.length;
    fill(list, shown.length ? h("ol", { class: "suggestions" }, shown.map((one) => suggestionCard(one, serving, null, draw))) : empty("bag", t("suggestions.none"), t("item.none.how")));
  }

  async function load() {
    try {
      if (!serving.set) await loadForItem(id);
      draw();
    } catch (error) {
      title.textContent = t("item.title");
      fill(list, problemLine(error, [button(t("again"), { onclick: load })]));
    }
  }

  load();
  return {
    title: t("item.title"),
    element: h(
      "div",
      { class: "serve" },
      h("div", { class: "serve__head" }, title, h("div", { class: "row" }, show)),
      about,
      h("section", { class: "serve__suggestions", "aria-labelledby": "suggestions-title" }, h("h2", { id: "suggestions-title" }, t("item.goes_with")), list),
    ),
  };
}
