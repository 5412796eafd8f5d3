/** What this browser keeps for one chat: the visitor's token, how far it has read, the draft, and messages not yet stored by the server. */

const OUT = "out:";

export class Keep {
  #prefix;

  constructor(accountId) {
    this.#prefix = `switchboard:${accountId}:`;
  }

  get token() { return this.#read("token"); }
  set token(token) { this.#write("token", token); }

  /** Who the server says we are; another one than before has another conversation. */
  get visitor() { return this.#read("visitor"); }
  set visitor(visitor) { this.#write("visitor", visitor); }

  /** The highest seq that was received here. */
  get seq() { return Number(this.#read("seq")) || 0; }
  set seq(seq) { if (seq > this.seq) this.#write("seq", String(seq)); }

  get draft() { return this.#read("draft") ?? ""; }
  set draft(text) { this.#write("draft", text || null); }

  /** Forgets who we were to the server, as when it does not know the token any more. */
  forget() {
    for (const name of ["token", "visitor", "seq"]) this.#write(name, null);
  }

  /** Messages without an ack, oldest first. One key each, so that two tabs never overwrite one another. */
  unsent() {
    const found = [];
    for (let at = 0; at < localStorage.length; at += 1) {
      const key = localStorage.key(at);
      if (key.startsWith(this.#prefix + OUT)) found.push(JSON.parse(localStorage.getItem(key)));
    }
    return found.sort((one, other) => one.at - other.at);
  }

  post(message) { this.#write(OUT + message.id, JSON.stringify(message)); }
  settle(id) { this.#write(OUT + id, null); }

  #read(name) {
    try { return localStorage.getItem(this.#prefix + name); } catch { return null; }
  }

  #write(name, value) {
    try {
      if (value === null) localStorage.removeItem(this.#prefix + name);
      else localStorage.setItem(this.#prefix + name, value);
    } catch { /* A full or forbidden storage costs the memory across reloads, not the chat. */ }
  }
}

/** An id no other message has. Not `crypto.randomUUID`: that one is missing on a plain-HTTP page in a local network. */
export function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
