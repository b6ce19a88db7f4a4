// Tablets' clocks are wrong; the server's are not. Every answer of the server corrects ours.

import { keepValue, readValue } from "./database.js";

const TOLERANCE = 5_000;
let offset = 0;

/** Take up the last known correction, for a start without a network. */
export async function restoreClock() {
  offset = (await readValue("clock_offset")) ?? 0;
}

/** The server said what time it was between `sent` and now (both in our milliseconds). */
export function correctClock(serverTime, sent) {
  if (!Number.isFinite(serverTime)) return;
  const measured = serverTime - (sent + Date.now()) / 2;
  if (Math.abs(measured - offset) < TOLERANCE) return;
  offset = Math.abs(measured) < TOLERANCE ? 0 : measured;
  keepValue("clock_offset", offset).catch(() => {});
}

/** Now, as the server would say it, as a Date. */
export function now() {
  return new Date(Date.now() + offset);
}

/** How far the tablet's own clock is off, in milliseconds. */
export function clockOffset() {
  return offset;
}
