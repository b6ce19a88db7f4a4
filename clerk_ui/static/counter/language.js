// Japanese first, English beside it. A phrase is a string with {names}; the catalogues have the same keys.

import en from "./words/en.js";
import ja from "./words/ja.js";

const CATALOGUES = { ja, en };
let current = "ja";

/** The language in use: "ja" or "en". */
export function language() {
  return current;
}

/** Switch; anything but English is Japanese. */
export function useLanguage(wanted) {
  current = String(wanted ?? "ja").toLowerCase().startsWith("en") ? "en" : "ja";
  document.documentElement.lang = current;
  document.title = t("app.title");
}

/** The phrase for a key. An unknown key is an error, never a blank on a screen. */
export function t(key, values = {}) {
  const phrase = CATALOGUES[current][key];
  if (phrase === undefined) throw new Error(`no phrase for ${key} in ${current}`);
  return phrase.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** Whether there is a phrase for the key. */
export function hasPhrase(key) {
  return key in CATALOGUES[current];
}
