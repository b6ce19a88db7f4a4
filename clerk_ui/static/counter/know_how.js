// Know-how cards of the CoE: what works for colleagues, where it fits, and that one has tried it.

import { now } from "./clock.js";
import { keepValue, readValue } from "./database.js";
import { get } from "./requests.js";
import { current } from "./session.js";
import { useCard } from "./taps.js";

/** The store's live cards, the newest first; none without a network or where the server has none. */
export async function liveCards() {
  return cardsAt("/api/know-how-cards");
}

/** Suggestion id → the card that fits it; the most particular card first, and no card twice on one screen. */
export async function fittingCards(suggestions) {
  if (!suggestions.length) return new Map();
  const asked = new URLSearchParams(suggestions.map((one) => ["suggestion_id", one.suggestion_id]));
  const cards = await cardsAt(`/api/know-how-cards?${asked}`);
  const found = new Map();
  for (const card of cards.sort((a, b) => particular(b) - particular(a))) {
    const free = (card.suggestion_ids ?? []).find((id) => !found.has(id));
    if (free) found.set(free, card);
  }
  return found;
}

function particular(card) {
  return (card.product_id ? 4 : 0) + (card.category ? 2 : 0) + (card.situation === "any" ? 0 : 1);
}

async function cardsAt(path) {
  try {
    return (await get(path, { quiet: true })).cards ?? [];
  } catch {
    return []; // help, not duty: nobody is stopped by its absence
  }
}

/** This clerk has these cards before their eyes; told once a day. */
export async function noteSeen(cards) {
  const name = `cards:${current().person?.account_id}`;
  const today = now().toISOString().slice(0, 10);
  const kept = await readValue(name);
  const told = kept?.day === today ? kept.ids : [];
  const fresh = cards.filter((card) => !told.includes(card.card_id));
  if (!fresh.length) return;
  await keepValue(name, { day: today, ids: [...told, ...fresh.map((card) => card.card_id)] });
  for (const card of fresh) await useCard(card, "seen");
}
