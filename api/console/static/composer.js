/** Where the person writes: it grows with the text, keeps the draft, counts when it gets long. */

import { put } from "./dom.js";

const COUNT_FROM = 3_000;
const numbers = new Intl.NumberFormat();

export class Composer {
  #form = document.getElementById("composer");
  #field = document.getElementById("text");
  #count = document.getElementById("count");
  #button = document.getElementById("send");
  #longest = Number(document.body.dataset.longest) || Infinity;
  #keep;

  constructor(keep, onSend) {
    this.#keep = keep;
    this.#field.value = keep.draft;
    this.#field.addEventListener("input", () => this.#changed());
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.#field.value;
      if (!text.trim() || lengthOf(text) > this.#longest) return;
      this.fill("");
      onSend(text);
    });
    this.#changed();
  }

  /** Puts text into the field, as when a message that was refused is to be mended. */
  fill(text) {
    this.#field.value = text;
    this.#changed();
  }

  focus() { this.#field.focus(); }

  #changed() {
    const { value } = this.#field;
    this.#keep.draft = value;
    this.#grow();
    const length = lengthOf(value);
    this.#putCount(length);
    this.#button.disabled = !value.trim() || length > this.#longest;
  }

  #putCount(length) {
    const tooLong = length > this.#longest;
    this.#count.hidden = length < COUNT_FROM && !tooLong;
    this.#count.classList.toggle("over", tooLong);
    const of = Number.isFinite(this.#longest) ? ` of ${numbers.format(this.#longest)}` : "";
    put(this.#count, tooLong ? `${numbers.format(length - this.#longest)} characters too many` : `${numbers.format(length)}${of} characters`);
  }

  #key(event) {
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.#field.style.blockSize = "auto";
    this.#field.style.blockSize = `${this.#field.scrollHeight + 2}px`;
  }
}

/** Characters as the server counts them: an emoji is one, not the two that JavaScript sees. */
function lengthOf(text) {
  return text.length < COUNT_FROM ? text.length : [...text].length;
}
