// Waits for a plan that is being computed, and shows it once it is ready.
const waiting = document.querySelector("[data-plan]");
const EVERY = 3000;

async function look() {
  try {
    const answer = await fetch(`/store/plans/${encodeURIComponent(waiting.dataset.plan)}/state`);
    if (answer.ok && !(await answer.json()).busy) {
      location.reload();
      return;
    }
  } catch {
    // no network for a moment: the next look will tell
  }
  setTimeout(look, EVERY);
}

if (waiting) setTimeout(look, EVERY);
