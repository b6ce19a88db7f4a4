// Serving one customer, or an anonymous one by an item: what is on the screen, and what was tapped.

import { current } from "./session.js";
import { get, post, Unreachable } from "./requests.js";
import { keepCustomer, keptCustomer } from "./recent_customers.js";

const open = new Map();
const AT_MOST = 5;

/** The serving of a customer (or of an item: key `item:ID`), made on first use. */
export function servingOf(key) {
  if (!open.has(key)) {
    open.set(key, { key, card: null, set: null, seen: [], outcomes: new Map(), hidden: new Set(), stale: null });
  }
  return open.get(key);
}

/** The customer being served, for the way back from another screen. */
export function lastServed() {
  return [...open.values()].filter((serving) => serving.card?.name !== undefined).at(-1) ?? null;
}

/** Done with this customer. */
export function endServing(key) {
  open.delete(key);
}

/** Nobody is being served any more. */
export function forgetServings() {
  open.clear();
}

/** Fetch the card; without a network the kept one, marked stale. Undefined where there is none at all. */
export async function loadCard(customerId, code) {
  const serving = servingOf(customerId);
  try {
    serving.card = await get(`/api/customers/${encodeURIComponent(customerId)}`);
    serving.stale = null;
    keepCustomer(customerId, { card: serving.card, codes: code ? [code] : [] });
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    const kept = await keptCustomer(customerId);
    if (!kept?.card) throw error;
    serving.card = kept.card;
    serving.stale = kept.kept_at;
  }
  return serving;
}

function asking() {
  const { store, person } = current();
  return { store_id: store.store_id, ...(person.clerk_id ? { clerk_id: person.clerk_id } : {}), k: AT_MOST };
}

function inHand(seen) {
  const ids = (held) => seen.filter((product) => Boolean(product.held) === held).map((product) => product.product_id);
  const [basket, looked] = [ids(true), ids(false)];
  return { ...(looked.length ? { seen_products: looked } : {}), ...(basket.length ? { basket } : {}) };
}

/** Ask for suggestions for the customer; without a network the kept ones, marked stale. */
export async function loadSuggestions(customerId) {
  const serving = servingOf(customerId);
  try {
    const suggestions = await post(`/api/customers/${encodeURIComponent(customerId)}/suggestions`, {
      ...asking(),
      ...inHand(serving.seen),
    });
    serving.set = { suggestions };
    serving.setStale = null;
    keepCustomer(customerId, { set: serving.set });
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    const kept = await keptCustomer(customerId);
    if (!kept?.set) throw error;
    serving.set = kept.set;
    serving.setStale = kept.kept_at;
  }
  return serving;
}

/** What goes with an item, for somebody whose name we do not know. */
export async function loadForItem(productId) {
  const serving = servingOf(`item:${productId}`);
  const path = `/api/products/${encodeURIComponent(productId)}`;
  const [item, suggestions] = await Promise.all([get(path), post(`${path}/suggestions`, asking())]);
  serving.item = item;
  serving.set = { suggestions };
  return serving;
}
