// From a code or a few characters to the customer or the product.

import { cleanCode, isEan, isMerchandise } from "./codes.js";
import { get, Refused, Unreachable } from "./requests.js";
import { searchKept } from "./recent_customers.js";

/** Customers that match; without a network those kept on the tablet, with `stale: true`. */
export async function findCustomers(text, { signal } = {}) {
  try {
    const { customers } = await get(`/api/customers?q=${encodeURIComponent(text)}`, { signal });
    return { customers, stale: false };
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    const kept = await searchKept(text);
    const wanted = cleanCode(text);
    return { customers: kept.map(({ card, codes }) => ({ ...card, exact: codes.includes(wanted) })), stale: true };
  }
}

/** Products that match a name or a code. */
export async function findProducts(text, { signal } = {}) {
  return (await get(`/api/products?q=${encodeURIComponent(text)}`, { signal })).products;
}

/**
 * What a scanned code stands for: `{kind: "customer"|"product"|"visitor"|"several"|"unknown"|"offline", id, code}`.
 * A shop's own JAN may be a member card, a product, or a number on the web shop's screen; the customer comes first.
 */
export async function resolveCode(raw) {
  const code = cleanCode(raw);
  const merchandise = isMerchandise(code);
  const products = () => findProducts(code).catch((error) => calm(error));
  const customers = () => findCustomers(code).catch((error) => calm(error));
  const early = merchandise ? products() : null;
  const found = await customers();
  const exact = found?.customers.filter((customer) => customer.exact) ?? [];
  if (exact.length === 1) return { kind: "customer", id: exact[0].customer_id, code };
  const items = (await (early ?? products())) ?? [];
  const item = items.find((product) => product.product_id === code) ?? (items.length === 1 ? items[0] : null);
  if (item) return { kind: "product", id: item.product_id, product: item, code };
  if (exact.length > 1) return { kind: "several", code };
  const visitor = found && !found.stale && isEan(code) && !merchandise ? await visitorOf(code) : null;
  if (visitor?.customer_id) return { kind: "customer", id: visitor.customer_id, code };
  if (visitor) return { kind: "visitor", visitor, code };
  return { kind: found?.stale ? "offline" : "unknown", code };
}

/** Who shows this number on a web shop's or an app's screen; null where nobody does. */
async function visitorOf(code) {
  return get(`/api/visitor-codes/${encodeURIComponent(code)}`).catch((error) => calm(error));
}

function calm(error) {
  if (error instanceof Unreachable || (error instanceof Refused && [400, 404, 422].includes(error.status))) return null;
  throw error;
}
