// Whether a finger is on the glass. What lies under it is not exchanged meanwhile: a button that goes away between
// touch and lift takes the tap with it, and one that comes in its place gets a tap that was meant for the other.

const LONGEST = 1_000; // a finger that rests is not about to tap
const CLICK = 40; // the click follows the lift by a moment
let touching = false;
let waiting = [];

function lifted() {
  setTimeout(() => {
    touching = false;
    for (const resolve of waiting.splice(0)) resolve();
  }, CLICK);
}

addEventListener("pointerdown", () => (touching = true), { capture: true, passive: true });
for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, lifted, { capture: true, passive: true });

/** Resolves once no finger is on the glass: now, most of the time. */
export function whenLifted() {
  if (!touching) return Promise.resolve();
  return new Promise((resolve) => {
    waiting.push(resolve);
    setTimeout(resolve, LONGEST);
  });
}

/** Handlers that do their work one after the other, so that a second tap finds what the first has made. */
export function inTurn() {
  let last = Promise.resolve();
  return (work) => {
    last = last.catch(() => {}).then(work);
    return last;
  };
}

/** A second tap at the same place at once is a trembling finger, and what it meets may be another button by now. */
export function isEcho(event) {
  return event?.detail > 1;
}
