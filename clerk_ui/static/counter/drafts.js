// What a person had begun: the place they were at and the note they were writing. It waits for them while a
// colleague uses the tablet.

import { keepValue, readValue } from "./database.js";
import { inTurn } from "./fingers.js";

const changes = inTurn(); // place and notes change at the same moment: the one must not write the other's past

/** The draft of a person: `{place, notes: {customer_id: text}}`. */
export async function draftOf(accountId) {
  return (await readValue(`draft:${accountId}`)) ?? { place: "", notes: {} };
}

/** Change parts of the draft. */
export async function keepDraft(accountId, parts) {
  if (!accountId) return;
  await changes(async () => {
    const before = await draftOf(accountId);
    const notes = { ...before.notes, ...(parts.notes ?? {}) };
    for (const [customer, text] of Object.entries(notes)) if (!text) delete notes[customer];
    await keepValue(`draft:${accountId}`, { ...before, ...parts, notes });
  });
}
