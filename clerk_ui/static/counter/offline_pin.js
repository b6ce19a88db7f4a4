// Without a network nobody can check a PIN but the tablet itself. It keeps a slow salted hash for the one
// person who signed in last, allows a few tries, and forgets it at sign-out. Needs a secure origin.

import { keepValue, readValue } from "./database.js";

const ROUNDS = 400_000;
const TRIES = 5;
let forgotten = 0;

async function derive(pin, salt) {
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(pin), "PBKDF2", false, ["deriveBits"]);
  const bits = await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations: ROUNDS }, key, 256);
  return new Uint8Array(bits);
}

/** Remember a PIN that the server has just accepted. */
export async function keepOfflinePin(accountId, pin) {
  if (!crypto.subtle) return;
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const before = forgotten;
  const hash = await derive(pin, salt);
  // whoever left while their PIN was still being worked out has left
  if (before === forgotten) await keepValue("offline_pin", { account_id: accountId, salt, hash, tries: 0 });
}

/** Whether it is the person who signed in last, with the right PIN; wrong tries are counted. */
export async function matchesOfflinePin(accountId, pin) {
  const kept = await readValue("offline_pin");
  if (!kept || !crypto.subtle || kept.account_id !== accountId || kept.tries >= TRIES) return false;
  // a try that cannot be counted is no try
  if (!(await keepValue("offline_pin", { ...kept, tries: kept.tries + 1 }))) return false;
  const hash = await derive(pin, kept.salt);
  const right = hash.every((byte, place) => byte === kept.hash[place]);
  if (right) await keepValue("offline_pin", { ...kept, tries: 0 });
  return right;
}

/** Forget it. */
export function forgetOfflinePin() {
  forgotten += 1;
  return keepValue("offline_pin", undefined);
}
