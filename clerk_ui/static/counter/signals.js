// One place where parts of the app tell each other what happened.

const signals = new EventTarget();

/** Tell everyone who listens. */
export function tell(name, detail = null) {
  signals.dispatchEvent(new CustomEvent(name, { detail }));
}

/** Listen; the answer stops listening. */
export function hear(name, listener) {
  const wrapped = (event) => listener(event.detail);
  signals.addEventListener(name, wrapped);
  return () => signals.removeEventListener(name, wrapped);
}
