// Which tablet this is, which store it stands in, and who holds it right now.

import { forgetOfflinePin, keepOfflinePin, matchesOfflinePin } from "./offline_pin.js";
import { correctClock } from "./clock.js";
import { keepValue, readValue } from "./database.js";
import { useChain } from "./figures.js";
import { useLanguage } from "./language.js";
import { forgetCustomers } from "./recent_customers.js";
import { get, post, Refused, send, Unreachable } from "./requests.js";
import { forgetServings } from "./serving.js";
import { tell } from "./signals.js";

const COVERED = "osusume-locked";
const nobody = { device: null, store: null, person: null, idle_lock_seconds: 300, chain: null };
let session = nobody;

/** The session as last known. */
export function current() {
  return session;
}

/** Person, store and device as an outbox entry keeps them. */
export function signature() {
  return {
    account_id: session.person?.account_id ?? null,
    clerk_id: session.person?.clerk_id ?? null,
    name: session.person?.name ?? "",
  };
}

async function take(answered) {
  const before = (await readValue("last_person")) ?? null;
  session = { ...nobody, ...answered };
  useChain(session.chain);
  const person = session.person;
  if (person) {
    if (before && before !== person.account_id) await forgetCustomerData(before);
    await keepValue("last_person", person.account_id);
  }
  const chosen = person && (await readValue(`language:${person.account_id}`));
  await useLanguage(chosen ?? person?.language ?? (await readValue("language")) ?? session.language ?? navigator.language);
  await keepValue("session", session);
  tell("session", session);
  return session;
}

/** Ask the server who we are; without it, go on as we were, unless the tablet was locked. */
export async function restoreSession() {
  const locked = ((await readValue("locked")) ?? false) || sessionStorage.getItem(COVERED) !== null;
  try {
    const sent = Date.now();
    const answered = await get("/api/session", { quiet: true });
    correctClock(Date.parse(answered.server_time), sent);
    if (locked && answered.person) {
      await send("DELETE", "/api/session", undefined, { quiet: true });
      answered.person = null;
    }
    return await take(answered);
  } catch (error) {
    if (!(error instanceof Unreachable || error instanceof Refused)) throw error;
    if (error instanceof Refused && error.status === 401) return leaveStore();
    const kept = await readValue("session");
    return take({ ...nobody, ...(kept ?? {}), ...(locked ? { person: null } : {}) });
  }
}

/** Bind this tablet to a store with the code that the manager was given. */
export async function enrol(code) {
  await post("/api/devices/enrolment", { code }, { quiet: true });
  navigator.storage?.persist?.();
  return restoreSession();
}

/** Who may sign in here; the last known list without a network. */
export async function people() {
  try {
    const answered = await get("/api/people", { quiet: true });
    const list = Array.isArray(answered) ? answered : answered.people;
    await keepValue("people", list);
    return list;
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    return (await readValue("people")) ?? [];
  }
}

/** The people as last known, at once. */
export async function knownPeople() {
  return (await readValue("people")) ?? [];
}

/**
 * Sign in with a PIN. Without a network only the person who was here last comes back in, and only to what is
 * kept on the tablet; the server sees nothing of it until it has checked a PIN itself.
 */
export async function signIn(person, pin) {
  try {
    await send("POST", "/api/session", { account_id: person.account_id, pin }, { quiet: true });
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    if (!(await matchesOfflinePin(person.account_id, pin))) throw error;
    await cover(false);
    return take({ ...session, person });
  }
  await cover(false);
  keepOfflinePin(person.account_id, pin).catch(() => {});
  const answered = await get("/api/session", { quiet: true });
  return take(answered);
}

/** Remember whether the tablet is locked; on a full disk in the window itself, which also outlives a reload. */
async function cover(locked) {
  if ((await keepValue("locked", locked)) || !locked) sessionStorage.removeItem(COVERED);
  else sessionStorage.setItem(COVERED, "1");
}

/** Cover the tablet: the person stays the last one, so that their PIN opens it again where they were. */
export async function lock() {
  await cover(true);
  forgetServings();
  session = { ...session, person: null };
  await keepValue("session", session);
  tell("session", session);
  await endOnServer();
}

/** Leave: customers are forgotten, what still waits to be sent is not. */
export async function signOut() {
  const account = session.person?.account_id;
  await forgetCustomerData(account);
  await keepValue(`draft:${account}`, undefined);
  await keepValue("last_person", undefined);
  await lock();
}

/** This tablet was revoked: it belongs to no store any more, and knows nobody. The outbox stays, to be sent or shown. */
export async function leaveStore() {
  await forgetCustomerData(await readValue("last_person"));
  forgetServings();
  for (const name of ["last_person", "people", "locked"]) await keepValue(name, undefined);
  return take({});
}

async function forgetCustomerData(account) {
  await forgetCustomers();
  await forgetOfflinePin();
  await keepValue(`day:${account}`, undefined);
}

async function endOnServer() {
  try {
    await send("DELETE", "/api/session", undefined, { quiet: true, timeout: 4_000 });
  } catch (error) {
    if (!(error instanceof Unreachable || error instanceof Refused)) throw error;
  }
}

/** Remember the language for this person on this tablet. */
export async function chooseLanguage(wanted) {
  await useLanguage(wanted);
  await keepValue("language", wanted);
  if (session.person) await keepValue(`language:${session.person.account_id}`, wanted);
  tell("language", wanted);
  if (session.person) await send("PUT", "/api/session/language", { language: wanted }, { quiet: true }).catch(() => {});
}
