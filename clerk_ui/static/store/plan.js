// Waits for a plan that is being computed, and shows it once it is ready.
const waiting = document.querySelector("[data-plan]");
const told = waiting?.querySelector("[data-step]");
const EVERY = 3000;

async function look() {
  try {
    const answer = await fetch(`/store/plans/${encodeURIComponent(waiting.dataset.plan)}/state`);
    if (answer.ok) {
      const { busy, step } = await answer.json();
      if (!busy) {
        location.reload();
        return;
      }
      // the solver tells how many better plans it has found so far
      if (/^\d+$/.test(step ?? "")) told.textContent = told.dataset.found.replace("%n", step);
    }
  } catch {
    // no network for a moment: the next look will tell
  }
  setTimeout(look, EVERY);
}

if (waiting) setTimeout(look, EVERY);
