// Locks the tablet when nobody has touched it for a while.

let timer = null;
let seconds = 300;
let onIdle = () => {};

function restart() {
  clearTimeout(timer);
  if (seconds > 0) timer = setTimeout(() => onIdle(), seconds * 1000);
}

/** Start watching; `locked` is called once after `idleSeconds` without a touch or key. */
export function watchIdle(idleSeconds, locked) {
  seconds = idleSeconds;
  onIdle = locked;
  restart();
}

/** Stop watching. */
export function stopWatching() {
  clearTimeout(timer);
  seconds = 0;
}

for (const kind of ["pointerdown", "keydown", "wheel"]) {
  window.addEventListener(kind, () => seconds > 0 && restart(), { passive: true, capture: true });
}
