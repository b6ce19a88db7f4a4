// Starts the tablet app, and decides which screen shows.

import { restoreClock } from "./clock.js";
import { keepValue, readValue } from "./database.js";
import { button, fill, h, loadIcons, notice } from "./dom.js";
import { draftOf, keepDraft } from "./drafts.js";
import { drawSending, languageButton } from "./frame.js";
import { stopWatching, watchIdle } from "./idle.js";
import { t, useLanguage } from "./language.js";
import { counts, flush, keepFlushing, retryAfterSignIn } from "./outbox.js";
import { closeDialogs, openDialog } from "./parts/dialog.js";
import { hideUndo, hideWord, say } from "./parts/undo_bar.js";
import { troubleWords } from "./parts/trouble.js";
import { get, isReachable } from "./requests.js";
import { listenForScans } from "./scanner.js";
import { enrolScreen } from "./screens/enrol.js";
import { peopleScreen } from "./screens/people.js";
import { startServiceWorker } from "./service_worker_client.js";
import { current, leaveStore, lock, restoreSession, signOut } from "./session.js";
import { hear } from "./signals.js";

const app = document.getElementById("app");
let screen = null;
let waiting = { waiting: 0, refused: 0 };
let scanned = {}; // whom the last card opened: they are found by it without a network, too
let inside = null; // the screens behind the gate; they arrive while a PIN is typed
let open = () => {};
let scans = new Promise((resolve) => (open = resolve)); // in their order, and none before there is a screen for it

function routeNow() {
  const [, place = "find", id] = location.hash.split("/");
  return { place, id: id && decodeURIComponent(id) };
}

function go(hash) {
  if (location.hash !== hash) history.pushState(null, "", hash); // the screen stands at once, not with the next event
  draw();
}

/** Show the screen for where we are; gates (no store, nobody here) come first. */
function draw({ focus = true } = {}) {
  screen?.dispose?.();
  closeDialogs();
  const { device, person } = current();
  if (!device || !person || !inside) {
    stopWatching();
    hideUndo();
    const gate = device ? peopleScreen : enrolScreen;
    screen = gate({ proceed, counts: waiting });
    fill(app, h("div", { class: "gatetools" }, languageButton()), h("main", { id: "main", tabindex: "-1" }, screen.element));
  } else {
    const route = routeNow();
    const code = scanned.id === route.id ? scanned.code : null;
    screen = inside.screenFor(route, { go, redraw: draw, onCode, code });
    const place = ["customer", "join"].includes(route.place) ? "find" : route.place;
    fill(app, inside.frame(screen, place, { counts: waiting, onSwitch: switchDialog }));
    keepDraft(person.account_id, { place: location.hash });
    watchIdle(current().idle_lock_seconds ?? 300, lockNow);
  }
  document.title = `${screen.title} – ${t("app.title")}`;
  if (focus) app.querySelector("h1")?.focus({ preventScroll: true });
}

/** After a gate: back to where this person was. */
async function proceed() {
  const { person } = current();
  if (person) await enter();
  const draft = person ? await draftOf(person.account_id) : null;
  const there = draft?.place || "#/find";
  if (location.hash !== there) history.replaceState(null, "", there);
  draw();
  if (person) await retryAfterSignIn();
  flush();
}

async function enter() {
  inside ??= await import("./inside.js");
}

async function lockNow() {
  stopWatching();
  await lock();
  draw();
}

function switchDialog() {
  openDialog(current().person.name, (close) => [
    h("p", {}, t("switch.lead")),
    h(
      "div",
      { class: "choices" },
      button(t("switch.go"), { icon: "people", kind: "main large", onclick: () => { close(); lockNow(); } }),
      button(t("theme"), { icon: "moon", kind: "large", onclick: nextTheme }),
      button(t("sign_out"), { icon: "leave", kind: "large", onclick: async () => { close(); stopWatching(); await signOut(); draw(); } }),
    ),
    h("p", { class: "small soft" }, t("switch.note")),
  ]);
}

async function nextTheme() {
  const order = [undefined, "light", "dark"];
  const next = order[(order.indexOf(document.documentElement.dataset.theme) + 1) % order.length];
  useTheme(next);
  await keepValue("theme", next);
  say(t(`theme.${next ?? "auto"}`));
}

function useTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

/** A code from the scanner or the camera; a card and an item scanned right after each other are taken in that order. */
function onCode(code) {
  scans = scans.then(() => take(code));
}

/** Open the customer, or take the item into the conversation. */
async function take(code) {
  if (!current().person || inside?.isShowing()) return;
  say(t("scan.reading"));
  try {
    await enter();
    const found = await inside.resolveCode(code);
    if (!current().person || inside.isShowing()) return; // locked or turned to the customer meanwhile
    hideWord();
    if (found.kind === "customer") scanned = { id: found.id, code };
    if (found.kind === "customer") go(`#/customer/${encodeURIComponent(found.id)}`);
    else if (found.kind === "visitor" && screen?.onVisitor) screen.onVisitor(found);
    else if (found.kind === "product" && screen?.onSeen) screen.onSeen(found.product);
    else if (found.kind === "product") go(`#/item/${encodeURIComponent(found.id)}`);
    else say(t(`scan.${found.kind}`, { code }), "warn");
  } catch (error) {
    say(troubleWords(error).what, "warn");
  }
}

function banner(text, actions = []) {
  fill(document.getElementById("banner"), text && notice(text, { kind: "warn", icon: "note", actions }));
}

async function start() {
  listenForScans(onCode); // from the first moment: nobody scans twice because the tablet was still waking up
  loadIcons().catch(() => {});
  await useLanguage((await readValue("language")) ?? navigator.language);
  await restoreClock();
  useTheme(await readValue("theme"));
  await restoreSession();
  const { person } = current();
  if (person) await enter().catch(() => {}); // without its screens the app stays at the gate
  if (person && !location.hash) history.replaceState(null, "", (await draftOf(person.account_id)).place || "#/find");
  waiting = await counts();
  draw();
  open();
  enter().catch(() => {}); // asked for again at the door
  window.addEventListener("hashchange", () => !inside?.isShowing() && draw());
  hear("language", () => draw({ focus: false }));
  hear("signed-out", () => current().person && lockNow());
  hear("revoked", () => current().device && leaveStore().then(() => draw()));
  hear("network", onNetwork);
  hear("outbox", (now) => {
    waiting = now;
    const pill = document.getElementById("sending");
    if (pill) drawSending(pill, waiting);
  });
  hear("refused", () => {
    if (inside?.isShowing()) return; // the counter on the clerk's screen tells it; a customer need not know
    say(t("refused.said"), "warn", h("a", { class: "button", href: "#/outbox" }, t("refused.look")));
  });
  hear("storage-full", () => banner(t("storage.full")));
  hear("storage-safe", () => banner(""));
  keepFlushing();
  startServiceWorker((update) => banner(t("update.ready"), [button(t("update.go"), { kind: "main", onclick: update })]), () => !current().person);
  setInterval(() => !isReachable() && get("/api/session", { quiet: true }).catch(() => {}), 10_000);
}

function onNetwork(online) {
  const pill = document.getElementById("sending");
  if (pill) drawSending(pill, waiting);
  if (!online) return;
  flush();
  // at the people's screen nothing is asked: a sign-in may be under way at this very moment
  if (current().device) screen?.reload?.();
  else restoreSession().then(() => draw({ focus: false }));
}

hear("try-again", () => get("/api/session", { quiet: true }).catch(() => {}));
start();
