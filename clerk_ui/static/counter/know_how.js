// Know-how cards of the CoE: what works for colleagues, and that one has seen it.

import { now } from "./clock.js";
import { keepValue, readValue } from "./database.js";
import { get } from "./requests.js";
import { current } from "./session.js";
import { useCard } from "./taps.js";

/** The store's live cards, the newest first; none without a network or where the server has none. */
export async function liveCards() {
  try {
    return (await get("/api/know-how-cards", { quiet: true })).cards ?? [];
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
