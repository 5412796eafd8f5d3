/** What is coming: the typing sign and the drafts that stream in, below all rows, where the answer will stand. */

import { copyOf, part } from "./dom.js";
import { putText } from "./rows.js";

const TYPING_FOR = 12_000;
const SILENT_FOR = 90_000;

export class Tail {
  #place = document.getElementById("tail");
  #typing = copyOf("typing");
  #typingUntil = 0;
  #drafts = new Map();
  #waiting = new Set();

  /** An answer is expected: room is kept for its first line, so that nothing moves when it begins. */
  expect() { this.#place.classList.add("expecting"); }

  /** Shows that somebody is writing, unless a draft shows it better. */
  typing() {
    if (this.#drafts.size) return;
    this.expect();
    if (!this.#typing.isConnected) this.#place.append(this.#typing);
    clearTimeout(this.#typingUntil);
    this.#typingUntil = setTimeout(() => this.quiet(), TYPING_FOR);
  }

  quiet() {
    clearTimeout(this.#typingUntil);
    this.#typing.remove();
  }

  /** Adds the next piece to a draft, or starts it over. Painted once a frame, however many pieces come. */
  piece(messageId, text, startOver) {
    this.quiet();
    this.expect();
    const draft = this.#drafts.get(messageId) ?? this.#begin(messageId);
    draft.text = startOver ? text : draft.text + text;
    draft.at = Date.now();
    draft.cut = false;
    this.#waiting.add(draft);
    if (this.#waiting.size === 1) requestAnimationFrame(() => this.#paint());
  }

  /** Takes the draft of a finished message away: its row replaces it in the same frame. Cut-off drafts go with it. */
  finish(messageId) {
    this.quiet();
    this.#place.classList.remove("expecting");
    for (const [id, draft] of this.#drafts) {
      const silent = Date.now() - draft.at > SILENT_FOR;
      if (id === messageId || draft.cut || silent) this.#end(id);
    }
  }

  /** The connection dropped: what was streaming may come whole, or from its start. */
  cut() {
    this.quiet();
    for (const draft of this.#drafts.values()) draft.cut = true;
  }

  #begin(messageId) {
    const row = copyOf("theirs");
    row.classList.add("draft");
    row.setAttribute("aria-hidden", "true");
    part(row, "meta").remove();
    const draft = { row, text: "", at: 0, cut: false };
    this.#drafts.set(messageId, draft);
    this.#place.append(row);
    return draft;
  }

  #end(messageId) {
    const draft = this.#drafts.get(messageId);
    this.#waiting.delete(draft);
    draft.row.remove();
    this.#drafts.delete(messageId);
  }

  #paint() {
    for (const draft of this.#waiting) putText(draft.row, draft.text);
    this.#waiting.clear();
  }
}
