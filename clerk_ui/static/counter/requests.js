// Talks to the server. Two ways to fail: it did not answer (Unreachable), or it answered with a problem (Refused).

import { correctClock } from "./clock.js";
import { tell } from "./signals.js";

const TIMEOUT = 10_000;

export class Unreachable extends Error {}

export class Refused extends Error {
  constructor(status, problem) {
    super(problem.title ?? problem.detail ?? `HTTP ${status}`);
    this.status = status;
    this.problem = problem;
  }
}

let reachable = navigator.onLine;

/** Whether the server answered last time. */
export function isReachable() {
  return reachable;
}

function note(value) {
  if (reachable === value) return;
  reachable = value;
  tell("network", value);
}

/**
 * Send a request and read the JSON answer; `{status, data}`.
 * A 401 is told to the app (the person's session is over) unless `quiet`.
 */
export async function send(method, path, body, { quiet = false, timeout = TIMEOUT, signal = null } = {}) {
  const limit = AbortSignal.timeout(timeout);
  const sent = Date.now();
  let response;
  let data;
  try {
    response = await fetch(path, {
      method,
      headers: {
        Accept: "application/json",
        "X-Osusume-Tablet": "1",
        "X-Osusume-Clock": new Date().toISOString(), // what our clock shows: the server takes its error off
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal: signal ? AbortSignal.any([limit, signal]) : limit,
    });
    data = await read(response);
  } catch (error) {
    if (signal?.aborted) throw error;
    note(false);
    throw new Unreachable(`${method} ${path}: ${error.message}`);
  }
  note(true);
  correctClock(Date.parse(response.headers.get("Date") ?? "") + 500, sent);
  if (response.ok) return { status: response.status, data };
  if (response.status === 401 && /device-(revoked|unknown)$/.test(data?.type ?? "")) tell("revoked");
  else if (response.status === 401 && !quiet) tell("signed-out");
  throw new Refused(response.status, data ?? {});
}

async function read(response) {
  const text = await response.text();
  if (!text) return null;
  if (!/json/.test(response.headers.get("Content-Type") ?? "")) return { title: `HTTP ${response.status}` };
  return JSON.parse(text);
}

/** GET, the data only. */
export async function get(path, options) {
  return (await send("GET", path, undefined, options)).data;
}

/** POST, the data only. */
export async function post(path, body, options) {
  return (await send("POST", path, body, options)).data;
}

window.addEventListener("offline", () => note(false));
window.addEventListener("online", () => tell("try-again"));
