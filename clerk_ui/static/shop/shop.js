// The demo shop's own script: asks for consent, tells the beacon what the page shows, draws pictures.

import { picture } from "../counter/parts/picture.js";

const page = document.body.dataset;
const banner = document.querySelector("#consent");
const CHOICE = "osusume_demo_refused";

// What a shop remembers of a refusal is up to the shop; ours asks again in the next tab.
function refusal(value) {
  try {
    if (value === undefined) return sessionStorage.getItem(CHOICE) === "1";
    if (value) sessionStorage.setItem(CHOICE, "1");
    else sessionStorage.removeItem(CHOICE);
  } catch {
    // storage is blocked: the banner comes again on the next page
  }
  return false;
}

function tellWhatIsSeen() {
  if (page.product) window.osusume("view", { product_id: page.product });
  else if (page.query) window.osusume("search", { query: page.query });
  else if (page.content) window.osusume("content_view", { content_id: page.content });
}

function choose(agreed) {
  banner.hidden = true;
  refusal(!agreed);
  if (!window.osusume("consent", agreed)) return;
  tellWhatIsSeen();
  if ("member" in page) {
    const body = new URLSearchParams({ form_token: page.formToken });
    fetch("/demo/shop/member", { method: "POST", body }).catch(() => {});
  }
}

document.addEventListener("click", (event) => {
  const act = event.target.closest("[data-act]")?.dataset.act;
  if (act === "agree" || act === "refuse") choose(act === "agree");
  if (act === "choose") {
    banner.hidden = false;
    banner.querySelector("[data-act=agree]").focus();
  }
  const goods = event.target.closest("[data-suggestion]")?.dataset;
  if (goods) window.osusume("recommend_click", { product_id: goods.goods, content_id: goods.suggestion });
  const star = event.target.closest("[data-favourite]");
  if (star) {
    const on = star.getAttribute("aria-pressed") !== "true";
    star.setAttribute("aria-pressed", String(on));
    if (on) window.osusume("favorite", { product_id: star.dataset.favourite });
  }
});

document.addEventListener("submit", (event) => {
  const product = event.target.dataset.cart;
  if (product) window.osusume("cart", { product_id: product });
});

for (const place of document.querySelectorAll("[data-picture]")) {
  const { name, category, image } = place.dataset;
  place.append(picture({ name, category, image_url: image || null }));
}

const silent = navigator.globalPrivacyControl === true || navigator.doNotTrack === "1";
if (window.osusume("visitor")) tellWhatIsSeen();
else banner.hidden = silent || refusal();
