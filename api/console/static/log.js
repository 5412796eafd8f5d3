/** The conversation on the page: rows in the order of their seq, days between them, and a view that stays at the end only while it is there. */

import { copyOf, part, put } from "./dom.js";
import { dayOf, putTime, sameDay } from "./times.js";

const NEAR_THE_END = 72;
const ONE_BREATH = 4 * 60_000;

export class Log {
  #list;
  #scroller;
  #pill;
  #atEnd = true;
  #unseen = 0;
  #rows = new Map();
  #arrivals = 0;

  constructor() {
    this.#scroller = document.getElementById("scroller");
    this.#list = document.getElementById("rows");
    this.#pill = document.getElementById("pill");
    this.#scroller.addEventListener("scroll", () => this.#look(), { passive: true });
    this.#pill.addEventListener("click", () => this.toEnd({ gently: true }));
    const grown = new ResizeObserver(() => this.#atEnd && this.toEnd());
    grown.observe(this.#scroller);
    grown.observe(document.getElementById("column"));
  }

  /** The row known by any of these keys, if there is one. */
  find(...keys) {
    for (const key of keys) if (key && this.#rows.has(key)) return this.#rows.get(key);
    return null;
  }

  get isEmpty() { return this.#list.childElementCount === 0; }

  clear() {
    this.#rows.clear();
    this.#list.replaceChildren();
  }

  /** The lowest seq on the page; 0 when there is none. */
  get firstSeq() {
    const row = [...this.#list.children].find((one) => one.seq);
    return row ? row.seq : 0;
  }

  /** A place between two seqs, for what has none of its own: behind everything that was there at that moment. */
  seqAt(at) {
    const before = [...this.#list.children].filter((row) => Number.isInteger(row.seq) && row.at <= at);
    return (before.at(-1)?.seq ?? 0) + 0.5;
  }

  /** Makes `row` known by `keys` and puts it where its seq belongs; without one it stands after all that have one. */
  place(row, { keys, seq = null, at, side }) {
    for (const key of keys) if (key) this.#rows.set(key, row);
    row.at = at;
    row.dataset.side = side;
    const settled = row.isConnected && (seq === null || row.seq === seq);
    if (!settled) this.#insert(row, seq);
    const time = part(row, "time");
    if (time) putTime(time, at);
    this.#setApart(row);
  }

  /** Counts something the person may not have seen because they are reading further up. */
  arrived() {
    if (this.#atEnd) return;
    this.#unseen += 1;
    put(part(this.#pill, "words"), this.#unseen === 1 ? "1 new message" : `${this.#unseen} new messages`);
    this.#pill.hidden = false;
  }

  toEnd({ gently = false } = {}) {
    this.#scroller.scrollTo({ top: this.#scroller.scrollHeight, behavior: gently ? "smooth" : "instant" });
    this.#atEnd = true;
    this.#look();
  }

  /** Keeps what is being read in place while rows are put above it. */
  holding(act) {
    const read = this.#atEnd ? null : this.#firstInSight();
    const stood = read?.offsetTop;
    act();
    if (read) this.#scroller.scrollTop += read.offsetTop - stood;
  }

  #firstInSight() {
    const top = this.#scroller.scrollTop;
    return [...this.#list.children].find((row) => row.offsetTop + row.offsetHeight > top);
  }

  #insert(row, seq) {
    this.#arrivals += 1;
    row.seq = seq;
    row.order = seq ?? Number.MAX_SAFE_INTEGER / 2 + this.#arrivals;
    const wasBefore = row.nextElementSibling;
    if (!row.isConnected || !inOrder(row)) {
      row.remove();
      let before = this.#list.lastElementChild;
      while (before && before.order > row.order) before = before.previousElementSibling;
      if (before) before.after(row);
      else this.#list.prepend(row);
    }
    for (const neighbour of [wasBefore, row.nextElementSibling]) if (neighbour) this.#setApart(neighbour);
  }

  /** A new day gets its name above it; what one side says in one breath stands close together. */
  #setApart(row) {
    const previous = row.previousElementSibling;
    const newDay = !previous || !sameDay(previous.at, row.at);
    let day = part(row, "day");
    if (newDay && !day) {
      day = copyOf("day");
      row.prepend(day);
    }
    if (day) {
      day.hidden = !newDay;
      put(part(day, "name"), dayOf(row.at));
    }
    row.classList.toggle("follows", !newDay && previous.dataset.side === row.dataset.side && row.at - previous.at < ONE_BREATH);
  }

  #look() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    this.#atEnd = scrollHeight - scrollTop - clientHeight < NEAR_THE_END;
    if (!this.#atEnd) return;
    this.#unseen = 0;
    this.#pill.hidden = true;
  }
}

function inOrder(row) {
  const { previousElementSibling: before, nextElementSibling: after } = row;
  return (!before || before.order <= row.order) && (!after || after.order >= row.order);
}
