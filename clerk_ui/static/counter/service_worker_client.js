// Installs the service worker, and brings a new version in when nobody is in the middle of something.

/** `offer(update)` shows that a new version waits; `free()` says whether it may come in by itself. */
export async function startServiceWorker(offer, free) {
  if (!("serviceWorker" in navigator)) return;
  let reloading = false;
  const controlled = Boolean(navigator.serviceWorker.controller);
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (reloading || !controlled) return;
    reloading = true;
    location.reload();
  });
  let registration;
  try {
    registration = await navigator.serviceWorker.register("/sw.js", { scope: "/" });
    if (!registration) return;
  } catch {
    return; // no secure origin: everything works but starting without a network
  }
  const ready = (worker) => {
    if (!navigator.serviceWorker.controller) return;
    const update = () => worker.postMessage("take-over");
    if (free()) update();
    else offer(update);
  };
  if (registration.waiting) ready(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const worker = registration.installing;
    worker?.addEventListener("statechange", () => worker.state === "installed" && ready(worker));
  });
  setInterval(() => registration.update().catch(() => {}), 30 * 60_000);
}
