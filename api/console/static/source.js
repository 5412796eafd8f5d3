/** Where the approvals page gets what it shows: reads by fetch, is poked by events, looks every five seconds where there are none. */

import { learnClock } from "./times.js";

const LOOK_EVERY = 5_000;
const LOOK_ANYWAY = 30_000;
const GATHER = 120;
const LISTEN_AGAIN_AFTER = 3_000;

/** An answer that is not a success: the server's problem document, or one of our making when there was none. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? body.title ?? "");
    Object.assign(this, { code: "unavailable" }, body, { status });
  }
}

/** Reads or sends JSON with the session's cookie and the page's CSRF token. Raises Problem. */
export async function ask(path, body) {
  const options = { credentials: "same-origin", headers: { Accept: "application/json" }, cache: "no-store" };
  if (body !== undefined) {
    const csrf = document.querySelector("meta[name=csrf-token]").content;
    Object.assign(options, { method: "POST", body: JSON.stringify(body) });
    Object.assign(options.headers, { "Content-Type": "application/json", "X-CSRF-Token": csrf });
  }
  const answer = await fetch(path, options).catch(() => null);
  if (!answer) throw new Problem(0, { detail: "Switchboard does not answer just now. Nothing was decided; try again in a moment." });
  if (answer.headers.has("Date")) learnClock(Date.parse(answer.headers.get("Date")));
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(answer.status, said);
  return said;
}

/** Ends the session and goes to the door. */
export async function signOut() {
  await ask("/console/sign-out", {}).catch(() => null);
  location.assign("/console/sign-in");
}

/** Calls `look` now, whenever something changed, and from time to time; one call at a time. `onLive` hears whether events flow. */
export function follow(look, onLive) {
  let wanted = 0;
  let lookedAt = 0;
  let isLooking = false;
  let isLive = false;

  async function now() {
    clearTimeout(wanted);
    wanted = 0;
    if (isLooking) return soon();
    isLooking = true;
    lookedAt = Date.now();
    await look().finally(() => (isLooking = false));
    return undefined;
  }

  function soon() {
    if (!wanted) wanted = setTimeout(now, GATHER);
  }

  const live = (yes) => {
    isLive = yes;
    onLive(yes);
  };
  function listen() {
    const events = new EventSource("/v1/events");
    events.onopen = () => {
      live(true);
      soon();
    };
    events.onerror = () => {
      live(false);
      if (events.readyState === EventSource.CLOSED) setTimeout(listen, LISTEN_AGAIN_AFTER);
    };
    events.addEventListener("approval", soon);
  }

  setInterval(() => {
    if (Date.now() - lookedAt >= (isLive ? LOOK_ANYWAY : LOOK_EVERY)) now();
  }, 1_000);
  document.addEventListener("visibilitychange", () => document.hidden || soon());
  listen();
  now();
}
