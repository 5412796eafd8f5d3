/** Times as people say them, in the reader's own language of numbers and the page's words. */

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const dayAndYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOTABLE = 5_000;
const CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz";

let ahead = 0;

/** Learns how far this machine's clock is off, so that a deadline ends here when it ends there. */
export function learnClock(serverSays) {
  const difference = serverSays - Date.now();
  ahead = Math.abs(difference) > NOTABLE ? difference : 0;
}

/** The moment it is where deadlines are kept. */
export const moment = () => new Date(Date.now() + ahead);

export const clockOf = (at) => clock.format(at);
export const wholeOf = (at) => whole.format(at);

/** When a thing was born, read from its id (`msg_` and a ULID); null when the id is of another make. */
export function bornAt(id) {
  const ulid = String(id ?? "").split("_").at(-1).toLowerCase();
  if (ulid.length !== 26) return null;
  let ms = 0;
  for (const letter of ulid.slice(0, 10)) ms = ms * 32 + CROCKFORD.indexOf(letter);
  return Number.isFinite(ms) && ms > 0 ? new Date(ms) : null;
}

/** The first of several spellings of a time that can be read; null when none can. */
export function timeOf(...spellings) {
  for (const spelling of spellings) {
    const at = spelling ? new Date(spelling) : null;
    if (at && !Number.isNaN(at.getTime())) return at;
  }
  return null;
}

export const sameDay = (one, other) => one.toDateString() === other.toDateString();

/** Today, Yesterday, or the date. */
export function dayOf(at, now = moment()) {
  if (sameDay(at, now)) return "Today";
  if (sameDay(at, new Date(now.getTime() - DAY))) return "Yesterday";
  return at.getFullYear() === now.getFullYear() ? day.format(at) : dayAndYear.format(at);
}

/** A moment of the past in few words: just now, 4 min ago, 14:02, Monday 14:02. */
export function agoOf(at, now = moment()) {
  const ms = now - at;
  if (ms < MINUTE) return "just now";
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ago`;
  return sameDay(at, now) ? clockOf(at) : `${dayOf(at, now)}, ${clockOf(at)}`;
}

/** The span until `at` in few words, never more exact than is useful: 2 days, 5 h 12 min, 29 min, 45 s. */
export function leftOf(at, now = moment()) {
  const ms = Math.max(0, at - now);
  if (ms >= 2 * DAY) return `${Math.floor(ms / DAY)} days`;
  if (ms >= HOUR) return `${Math.floor(ms / HOUR)} h ${Math.floor((ms % HOUR) / MINUTE)} min`;
  if (ms >= MINUTE) return `${Math.floor(ms / MINUTE)} min`;
  return `${Math.ceil(ms / 1000)} s`;
}

/** The same as a running clock: 29:41, 5:12:00. */
export function countdownOf(at, now = moment()) {
  const seconds = Math.max(0, Math.ceil((at - now) / 1000));
  if (seconds >= (2 * DAY) / 1000) return leftOf(at, now);
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** Fills a <time> element. */
export function putTime(element, at, words = clockOf(at)) {
  element.dateTime = at.toISOString();
  element.title = wholeOf(at);
  if (element.textContent !== words) element.textContent = words;
}
