// The last customers, readable without a network. Cleared when the person at the tablet changes.

import { now } from "./clock.js";
import { answer, within } from "./database.js";

const KEPT = 30;
const FORGOTTEN = "osusume-forgotten";

/** Keep what was just shown of a customer; parts not given stay as they were. */
export async function keepCustomer(customerId, parts) {
  try {
    if (hidden()) await forgetCustomers();
    if (hidden()) return;
    await within("customers", "readwrite", async (customers) => {
      const before = (await answer(customers.get(customerId))) ?? { customer_id: customerId, codes: [] };
      const codes = [...new Set([...before.codes, ...(parts.codes ?? [])])];
      await answer(customers.put({ ...before, ...parts, codes, kept_at: now().toISOString() }));
      const all = await answer(customers.getAll());
      all.sort((a, b) => b.kept_at.localeCompare(a.kept_at));
      for (const old of all.slice(KEPT)) await answer(customers.delete(old.customer_id));
    });
  } catch {
    // a convenience: a full disk must not stand between a clerk and the customer
  }
}

/** One kept customer, or undefined. */
export async function keptCustomer(customerId) {
  return hidden() ? undefined : within("customers", "readonly", (customers) => answer(customers.get(customerId)));
}

/** All kept customers, the last shown first. */
export async function keptCustomers() {
  if (hidden()) return [];
  const all = await within("customers", "readonly", (customers) => answer(customers.getAll()));
  return all.filter((kept) => kept.card).sort((a, b) => b.kept_at.localeCompare(a.kept_at));
}

/** Kept customers whose name, reading or code matches; katakana and hiragana, full and half width alike. */
export async function searchKept(text) {
  const wanted = folded(text);
  const all = await keptCustomers();
  return all.filter(
    ({ card, codes }) =>
      codes.some((code) => folded(code) === wanted) ||
      [card.name, card.kana, card.customer_id].some((value) => value && folded(value).includes(wanted)),
  );
}

/** Forget them all. On a disk so full that not even taking away is written they stay hidden until it works. */
export async function forgetCustomers() {
  sessionStorage.setItem(FORGOTTEN, "1");
  try {
    await within("customers", "readwrite", (customers) => answer(customers.clear()));
    sessionStorage.removeItem(FORGOTTEN);
  } catch (error) {
    if (error?.name !== "QuotaExceededError") throw error;
  }
}

function hidden() {
  return sessionStorage.getItem(FORGOTTEN) !== null;
}

/** NFKC, lower case, hiragana as katakana, no spaces. */
export function folded(text) {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\u3041-\u3096]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) + 0x60))
    .replace(/\s+/g, "");
}
