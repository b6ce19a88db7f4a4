// How numbers, money and times are written.

import { now } from "./clock.js";
import { language, t } from "./language.js";

const ZONE = "Asia/Tokyo";
let zone = ZONE;
let currency = "JPY";

/** Use the chain's time zone and currency. */
export function useChain(chain) {
  zone = chain?.timezone ?? ZONE;
  currency = chain?.currency ?? "JPY";
}

function locale() {
  return language() === "en" ? "en-GB" : "ja-JP";
}

/** A whole or decimal number with separators. */
export function number(value, digits = 0) {
  return Number(value).toLocaleString(locale(), { maximumFractionDigits: digits });
}

/** A share between 0 and 1 as per cent. */
export function percent(value, digits = 0) {
  return Number(value).toLocaleString(locale(), { style: "percent", maximumFractionDigits: digits });
}

/** An amount; yen as 円 in Japanese, as people write it on shelves. */
export function money(value) {
  if (value === null || value === undefined || value === "") return "";
  if (currency === "JPY" && language() === "ja") return `${number(value)}円`;
  const written = Number(value).toLocaleString(locale(), { style: "currency", currency, currencyDisplay: "narrowSymbol" });
  return written.replace(/\.00$/, "");
}

function dayNumber(date) {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone: zone }).format(date);
  return Math.round(Date.parse(`${parts}T00:00:00Z`) / 86_400_000);
}

/** Whole days on the store's calendar from a moment to now; negative where it lies ahead. */
export function daysSince(moment) {
  return dayNumber(now()) - dayNumber(new Date(moment));
}

/** "今日", "昨日", "12日前" … */
export function ago(days) {
  if (days <= 0) return t("time.today");
  if (days === 1) return t("time.yesterday");
  if (days < 60) return t("time.days_ago", { n: days });
  return t("time.months_ago", { n: Math.round(days / 30.44) });
}

/** Time of day, with the day in front where it is not today. */
export function when(moment) {
  const date = new Date(moment);
  const time = new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit", timeZone: zone }).format(date);
  const days = daysSince(date);
  if (days === 0) return time;
  if (days === 1) return `${t("time.yesterday")} ${time}`;
  return `${day(date)} ${time}`;
}

/** "11月23日(月)" / "Mon 23 Nov"; the year where it is another one. */
export function day(moment) {
  const date = new Date(typeof moment === "string" && moment.length === 10 ? `${moment}T12:00:00Z` : moment);
  const year = date.getUTCFullYear() === now().getUTCFullYear() ? {} : { year: "numeric" };
  return new Intl.DateTimeFormat(locale(), { ...year, month: "short", day: "numeric", weekday: "short", timeZone: zone }).format(
    date,
  );
}

/** The date `days` from today on the store's calendar, as YYYY-MM-DD. */
export function dayAhead(days) {
  return new Date((dayNumber(now()) + days) * 86_400_000).toISOString().slice(0, 10);
}
