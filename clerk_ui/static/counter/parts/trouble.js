// An error in words a clerk can use: what happened, and what to do now.

import { when } from "../figures.js";
import { hasPhrase, t } from "../language.js";
import { Refused, Unreachable } from "../requests.js";

/** `{what, todo}` of a problem document. */
export function problemWords(problem) {
  const kind = String(problem?.type ?? "").split(":").at(-1);
  const status = problem?.status;
  for (const key of [kind, status]) {
    if (key && hasPhrase(`problem.${key}`)) return { what: t(`problem.${key}`, factsOf(problem)), todo: t(`problem.${key}.todo`, factsOf(problem)) };
  }
  return { what: problem?.what ?? problem?.title ?? t("problem.unknown"), todo: problem?.what_to_do || t("problem.unknown.todo") };
}

/** What a problem says besides its kind, as a person reads it. */
function factsOf({ retry_after: wait, redeemed_at: at, redeemed_channel: channel }) {
  return {
    minutes: wait ? Math.max(1, Math.ceil(wait / 60)) : "",
    when: at ? when(at) : "",
    channel: hasPhrase(`channel.${channel}`) ? t(`channel.${channel}`) : "",
  };
}

/** `{what, todo}` of anything that was thrown. */
export function troubleWords(error) {
  if (error instanceof Unreachable) return { what: t("problem.unreachable"), todo: t("problem.unreachable.todo") };
  if (error instanceof Refused) return problemWords({ status: error.status, ...error.problem });
  return { what: t("problem.unknown"), todo: t("problem.unknown.todo") };
}
