// Japanese first, English beside it. A phrase is a string with {names}; the catalogues have the same keys.

import ja from "./words/ja.js";

const catalogues = { ja };
let current = "ja";

/** The language in use: "ja" or "en". */
export function language() {
  return current;
}

/** Switch; anything but English is Japanese. English is fetched when it is first wanted. */
export async function useLanguage(wanted) {
  const english = String(wanted ?? "ja").toLowerCase().startsWith("en");
  if (english && !catalogues.en) {
    try {
      catalogues.en = (await import("./words/en.js")).default;
    } catch {
      return; // no network and no shell yet: better in Japanese than not at all
    }
  }
  current = english ? "en" : "ja";
  document.documentElement.lang = current;
  document.title = t("app.title");
}

/** The phrase for a key. An unknown key is an error, never a blank on a screen. */
export function t(key, values = {}) {
  const phrase = catalogues[current][key];
  if (phrase === undefined) throw new Error(`no phrase for ${key} in ${current}`);
  return phrase.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** Whether there is a phrase for the key. */
export function hasPhrase(key) {
  return key in catalogues[current];
}
