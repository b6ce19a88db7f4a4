// An error in words a clerk can use: what happened, and what to do now.

import { hasPhrase, t } from "../language.js";
import { Refused, Unreachable } from "../requests.js";

/** `{what, todo}` of a problem document. */
export function problemWords(problem) {
  const kind = String(problem?.type ?? "").split(":").at(-1);
  const status = problem?.status;
  for (const key of [kind, status]) {
    if (key && hasPhrase(`problem.${key}`)) return { what: t(`problem.${key}`), todo: t(`problem.${key}.todo`) };
  }
  return { what: problem?.what ?? problem?.title ?? t("problem.unknown"), todo: problem?.what_to_do || t("problem.unknown.todo") };
}

/** `{what, todo}` of anything that was thrown. */
export function troubleWords(error) {
  if (error instanceof Unreachable) return { what: t("problem.unreachable"), todo: t("problem.unreachable.todo") };
  if (error instanceof Refused) return problemWords({ status: error.status, ...error.problem });
  return { what: t("problem.unknown"), todo: t("problem.unknown.todo") };
}
