// What clerks did, on its way to the server: kept until the server has said that it is stored.
//
// Entries leave in the order in which they were made. Each carries an id made here, so an entry whose answer
// was lost is simply sent again. A refusal (409, 403, 422 …) stays, with its reason, until a person has dealt
// with it; it never stops the others. `group` names what must stay in order (the outcomes of one suggestion).

import { now } from "./clock.js";
import { answer, within } from "./database.js";
import { newId } from "./identifiers.js";
import { Refused, send, Unreachable } from "./requests.js";
import { tell } from "./signals.js";

const TRY_LATER = new Set([408, 425, 429, 500, 502, 503, 504]);
const unsaved = new Map(); // only while the disk is full
let flushing = null;
let again = false;
let warned = false;

/** Add an entry and start sending. Returns it; with `saved: false` it lives in memory only (disk full). */
export async function enqueue({ id = newId(), kind, method, path, body, group, person, label }) {
  const entry = {
    id,
    kind,
    method,
    path,
    body,
    group: group ?? id,
    person,
    label,
    made_at: now().toISOString(),
    state: "waiting",
    attempts: 0,
  };
  let saved = true;
  try {
    entry.sequence = await store(entry);
  } catch (error) {
    saved = false;
    unsaved.set(id, entry);
    warned = true;
    tell("storage-full", error);
  }
  await changed();
  flush();
  return { ...entry, saved };
}

async function store(entry) {
  const put = () => within("outbox", "readwrite", (outbox) => answer(outbox.add(entry)));
  try {
    return await put();
  } catch (error) {
    if (error?.name !== "QuotaExceededError") throw error;
    // customers can be fetched again, an outcome cannot: make room
    await within("customers", "readwrite", (customers) => answer(customers.clear()));
    return put();
  }
}

/** Everything in the outbox, oldest first. */
export async function entries() {
  const kept = await within("outbox", "readonly", (outbox) => answer(outbox.getAll()));
  return [...kept, ...unsaved.values()];
}

/** How many wait, how many were refused. */
export async function counts() {
  const all = await entries();
  return {
    waiting: all.filter((entry) => entry.state === "waiting").length,
    refused: all.filter((entry) => entry.state === "refused").length,
  };
}

async function changed() {
  tell("outbox", await counts());
  if (warned && !unsaved.size) {
    warned = false;
    tell("storage-safe");
  }
}

// what lives in memory only would go with the page: the browser asks before it does
window.addEventListener("beforeunload", (event) => unsaved.size && event.preventDefault());

/** Change one entry inside a transaction; `change` answers the new entry, or null to remove it. */
async function revise(id, change) {
  if (unsaved.has(id)) {
    const revised = change(unsaved.get(id));
    if (revised) unsaved.set(id, revised);
    else unsaved.delete(id);
    return revised;
  }
  return within("outbox", "readwrite", async (outbox) => {
    const entry = await answer(outbox.index("id").get(id));
    if (!entry) return undefined;
    const revised = change(entry);
    if (revised) await answer(outbox.put(revised));
    else if (revised === null) await answer(outbox.delete(entry.sequence));
    return revised;
  });
}

/** Take an entry back if it was never sent; true where nothing more needs doing. */
export async function withdraw(id) {
  let taken = false;
  await revise(id, (entry) => {
    taken = entry.attempts === 0;
    return taken ? null : entry;
  });
  if (taken) await changed();
  return taken;
}

/** Change what will be sent, if it was never sent; true where that was possible. */
export async function amend(id, body) {
  let amended = false;
  await revise(id, (entry) => {
    amended = entry.attempts === 0;
    return amended ? { ...entry, body } : entry;
  });
  return amended;
}

/** A person wants a refused entry sent again. */
export async function retry(id) {
  await revise(id, (entry) => ({ ...entry, state: "waiting", problem: null }));
  await changed();
  flush();
}

/** Somebody signed in: what was refused because its author had never been on this tablet may pass now. */
export async function retryAfterSignIn() {
  for (const { id, state, problem } of await entries()) {
    if (state === "refused" && /unknown-author$/.test(problem?.type ?? "")) await retry(id);
  }
}

/** A person has dealt with a refused entry: it stays readable, but asks for nothing any more. */
export async function settle(id) {
  await revise(id, (entry) => ({ ...entry, state: "settled", settled_at: now().toISOString() }));
  await changed();
}

/**
 * Send what waits; the promise ends when all that was waiting at the call has been tried. Only one window of this
 * tablet sends at a time; a call during a flush adds another round.
 */
export function flush() {
  again = true;
  flushing ??= rounds().finally(() => {
    flushing = null;
  });
  return flushing;
}

async function rounds() {
  while (again) {
    again = false;
    if (navigator.locks) await navigator.locks.request("osusume-outbox", round);
    else await round();
  }
}

async function round() {
  const blocked = new Set();
  for (const { id, group, state } of await entries()) {
    if (state !== "waiting" || blocked.has(group)) continue;
    // counted before it leaves, so that an undo after a crash knows that the server may have it
    const entry = await revise(id, (current) =>
      current.state === "waiting" ? { ...current, attempts: current.attempts + 1 } : current,
    );
    if (!entry || entry.state !== "waiting") continue;
    const verdict = await deliver(entry);
    if (verdict === "stop") break;
    if (verdict === "later") blocked.add(group);
    await changed();
  }
}

async function deliver(entry) {
  try {
    const { data } = await send(entry.method, entry.path, entry.body, { quiet: true });
    await revise(entry.id, () => null);
    tell("delivered", { entry, data });
    return "done";
  } catch (error) {
    if (error instanceof Unreachable) return "stop";
    if (!(error instanceof Refused)) throw error;
    if (error.status === 401) {
      tell("outbox-needs-sign-in");
      return "stop";
    }
    if (TRY_LATER.has(error.status)) return error.status === 500 ? "later" : "stop";
    if (entry.method === "DELETE" && (error.status === 404 || error.status === 410)) {
      await revise(entry.id, () => null); // undone already, or never arrived
      return "done";
    }
    await revise(entry.id, (current) => ({
      ...current,
      state: "refused",
      problem: { status: error.status, ...error.problem },
      refused_at: now().toISOString(),
    }));
    tell("refused", { ...entry, problem: { status: error.status, ...error.problem } });
    return "refused";
  }
}

/** Flush now and whenever there is hope: online, visible again, after a success elsewhere, and now and then. */
export function keepFlushing() {
  window.addEventListener("online", flush);
  window.addEventListener("pageshow", flush);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && flush());
  setInterval(async () => {
    if ((await counts()).waiting > 0) flush();
  }, 15_000);
  changed();
  flush();
}
