/** The socket of a chat, which comes back by itself. It knows nothing of messages but their frames. */

const FIRST_PAUSE = 300;
const LONGEST_PAUSE = 3_000;
const GROWTH = 1.25;
const HELLO_WITHIN = 5_000;
const ASLEEP = 60_000;

/**
 * `hello()` gives the first frame; `onFrame(frame)` gets every other one; `onState(state)` hears
 * connecting, open, lost, offline, full, closed.
 */
export class Connection {
  #url;
  #hello;
  #onFrame;
  #onState;
  #socket = null;
  #timer = 0;
  #failures = 0;
  #hiddenAt = 0;
  #full = false;
  state = "connecting";

  constructor(url, { hello, onFrame, onState }) {
    this.#url = url;
    this.#hello = hello;
    this.#onFrame = onFrame;
    this.#onState = onState;
    addEventListener("online", () => this.again());
    addEventListener("offline", () => this.#drop());
    addEventListener("pageshow", (event) => event.persisted && this.again());
    document.addEventListener("visibilitychange", () => this.#woke());
  }

  /** Whether frames can go out now. */
  get isOpen() { return this.state === "open"; }

  /** Sends a frame if the socket is open; says whether it did. */
  send(frame) {
    if (!this.isOpen || this.#socket.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** Connects afresh at once, as when the person asks for it or the network is back. */
  again() {
    this.#failures = 0;
    this.#drop();
    this.open();
  }

  /** Nobody is there to talk to: no further attempt is made. */
  close() {
    this.#tell("closed");
    this.#drop();
    clearTimeout(this.#timer);
  }

  open() {
    clearTimeout(this.#timer);
    if (this.state === "closed") return;
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    const ifCurrent = (act) => (event) => socket === this.#socket && act(event);
    socket.onopen = ifCurrent(() => socket.send(JSON.stringify({ type: "hello", also: ["inbound", "approvals"], ...this.#hello() })));
    socket.onmessage = ifCurrent((event) => this.#hear(event.data));
    socket.onclose = ifCurrent((event) => this.#lost(event.code));
    this.#timer = setTimeout(ifCurrent(() => this.isOpen || this.#drop()), HELLO_WITHIN);
  }

  #hear(text) {
    const frame = JSON.parse(text);
    if (frame.type === "hello") {
      clearTimeout(this.#timer);
      this.#failures = 0;
      this.#full = false;
      this.#onFrame(frame);
      this.#tell("open");
      return;
    }
    if (frame.type === "error" && frame.code === "connection_limit") this.#full = true;
    this.#onFrame(frame);
  }

  #drop() {
    const socket = this.#socket;
    if (!socket) return;
    this.#lost(0);
    socket.close();
  }

  #lost() {
    clearTimeout(this.#timer);
    this.#socket = null;
    if (this.state === "closed") return;
    const away = navigator.onLine ? "lost" : "offline";
    if (this.state !== "connecting" || this.#failures > 2) this.#tell(this.#full ? "full" : away);
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * GROWTH ** this.#failures) * (0.6 + 0.4 * Math.random());
    this.#failures += 1;
    this.#timer = setTimeout(() => this.open(), this.#full ? LONGEST_PAUSE + pause : pause);
  }

  /** A machine that slept often keeps a dead socket that looks alive. */
  #woke() {
    if (document.hidden) {
      this.#hiddenAt = Date.now();
      return;
    }
    const asleep = this.#hiddenAt && Date.now() - this.#hiddenAt > ASLEEP;
    if (asleep || !this.isOpen) this.again();
  }

  #tell(state) {
    if (this.state === state) return;
    this.state = state;
    this.#onState(state);
  }
}
