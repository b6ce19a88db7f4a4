// The last customers, readable without a network. Cleared when the person at the tablet changes.

import { now } from "./clock.js";
import { answer, within } from "./database.js";

const KEPT = 30;

/** Keep what was just shown of a customer; parts not given stay as they were. */
export async function keepCustomer(customerId, parts) {
  try {
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
export function keptCustomer(customerId) {
  return within("customers", "readonly", (customers) => answer(customers.get(customerId)));
}

/** All kept customers, the last shown first. */
export async function keptCustomers() {
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

/** Forget them all. */
export function forgetCustomers() {
  return within("customers", "readwrite", (customers) => answer(customers.clear()));
}

/** NFKC, lower case, hiragana as katakana, no spaces. */
export function folded(text) {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\u3041-\u3096]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) + 0x60))
    .replace(/\s+/g, "");
}
