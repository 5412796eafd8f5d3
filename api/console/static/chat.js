/** The web chat page: what each frame of the protocol does to the conversation. */

import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { part, put, say } from "./dom.js";
import { freshId, Keep } from "./keep.js";
import { Log } from "./log.js";
import { approvalRow, markChosen, ownRow, putApproval, putButtons, putRefusal, putState, putText, putTimeLeft, theirRow } from "./rows.js";
import { Tail } from "./tail.js";
import { bornAt, learnClock, moment, timeOf } from "./times.js";
import { chatError, connectionWords, verdictWords } from "./words.js";

const PAGE = 80;
const ACK_WITHIN = 8_000;
const SEND_AGAIN_AFTER = 2_000;
const REPLAYED_WITHIN = 1_200;
const BANNER_AFTER = 250;
const BACK_FOR = 1_600;
const ANNOUNCE_FROM = Date.now() - 2_000;
const UNKNOWN_VISITOR = new Set(["unauthorized", "bad_token"]);

const accountId = document.body.dataset.account;
const keep = new Keep(accountId);
const log = new Log();
const tail = new Tail();
const composer = new Composer(keep, send);
const cards = new Map();
const url = new URL(`/v1/chat/${encodeURIComponent(accountId)}`, location.href.replace(/^http/, "ws"));
const connection = new Connection(url, { hello, onFrame, onState: showState });

/** Everything after this seq is on the page or was asked for. */
let from = Math.max(0, keep.seq - PAGE);
let highest = from;
let hasHistory = keep.seq > 0;
let sendAgainTimer = 0;

function hello() {
  const token = keep.token;
  return token ? { token, after: highest } : { after: 0 };
}

// ------------------------------------------------------------------ what the person does

function send(text) {
  const message = { id: freshId(), text, at: Date.now() };
  keep.post(message);
  showOwn(message);
  tail.expect();
  log.toEnd();
  post(message);
}

function post({ id, text }) {
  if (!connection.send({ id, text })) return;
  setTimeout(() => connection.isOpen && keep.unsent().some((one) => one.id === id) && connection.again(), ACK_WITHIN);
}

function postAll() {
  keep.unsent().forEach(post);
}

function earlier() {
  from = Math.max(0, from - PAGE);
  highest = from;
  connection.again();
}

// ------------------------------------------------------------------ what frames do

const frames = { hello: welcome, ack, message, delta, typing, approval, error };

function onFrame(frame) {
  frames[frame.type]?.(frame);
  showEmptiness();
}

function welcome({ token, visitor }) {
  const isAnother = keep.visitor && visitor && keep.visitor !== visitor;
  if (isAnother) startOver();
  if (visitor) keep.visitor = visitor;
  if (token) keep.token = token;
  if (isAnother) return queueMicrotask(() => connection.again());
  queueMicrotask(postAll);
  return setTimeout(() => {
    hasHistory = false;
    showEmptiness();
  }, REPLAYED_WITHIN);
}

/** The server knows us as somebody new: what is on the page belongs to somebody else. */
function startOver() {
  keep.forget();
  log.clear();
  cards.clear();
  from = highest = 0;
  keep.unsent().forEach(showOwn);
}

function ack({ id, message_id: messageId, seq, duplicate }) {
  keep.settle(id);
  if (!duplicate && bornAt(messageId)) learnClock(bornAt(messageId));
  const row = log.find(id, messageId);
  if (!row) return;
  const twin = log.find(messageId);
  if (twin && twin !== row) twin.remove();
  putState(row, "stored");
  log.place(row, { keys: [id, messageId], seq, at: row.at, side: "own" });
}

function message(frame) {
  highest = Math.max(highest, frame.seq ?? 0);
  keep.seq = highest;
  if (!frame.text) return undefined;
  if (frame.direction === "inbound") return ownMessage(frame);
  const known = log.find(frame.message_id);
  const row = known ?? theirRow();
  tail.finish(frame.message_id);
  log.holding(() => {
    putText(row, frame.text);
    putButtons(row, frame.buttons, send);
    part(row, "again").hidden = !frame.resend_of;
    log.place(row, { keys: [frame.message_id], seq: frame.seq, at: atOf(frame, frame.message_id), side: "theirs" });
  });
  if (known || row.at < ANNOUNCE_FROM) return undefined;
  log.arrived();
  return say(frame.text);
}

function ownMessage(frame) {
  if (frame.id) keep.settle(frame.id);
  const row = log.find(frame.message_id, frame.id) ?? ownRow(frame.text);
  putState(row, "stored");
  log.holding(() => log.place(row, { keys: [frame.message_id, frame.id], seq: frame.seq, at: atOf(frame, frame.message_id), side: "own" }));
  markChosen(row);
}

function showOwn({ id, text, at }) {
  const row = log.find(id) ?? ownRow(text);
  putState(row, "sending");
  log.place(row, { keys: [id], at: new Date(at), side: "own" });
  markChosen(row);
  showEmptiness();
}

function delta(frame) {
  if (log.find(frame.message_id)) return;
  tail.piece(frame.message_id, frame.text ?? "", Boolean(frame.reset));
}

function typing() {
  tail.typing();
}

function approval(frame) {
  const known = cards.get(frame.approval_id);
  const row = known ?? approvalRow(frame);
  const before = row.approval.state;
  if (known) putApproval(row, frame);
  cards.set(frame.approval_id, row);
  const at = known ? row.at : atOf(frame, frame.approval_id);
  const seq = known ? row.seq : frame.seq ?? log.seqAt(at);
  log.holding(() => log.place(row, { keys: [frame.approval_id], seq, at, side: "card" }));
  if (known ? before !== frame.state : at >= ANNOUNCE_FROM) announce(row);
}

function announce(row) {
  log.arrived();
  const { action, state, verdict } = row.approval;
  say(state === "pending" ? `Waiting for a person to decide: ${action}` : `${action}: ${verdictWords(verdict)}`);
}

function error({ code, id, retry_after: retryAfter }) {
  if (UNKNOWN_VISITOR.has(code)) {
    startOver();
    return connection.again();
  }
  if (code === "gone") return connection.close();
  if (code === "connection_limit") return undefined;
  const row = id ? log.find(id) : null;
  const isRefused = code === "too_long" || code === "invalid";
  if (row && isRefused) return refuse(row, id, code);
  if (code === "rate_limited" || code === "postgres_unavailable") sendAgain(retryAfter);
  return notice(chatError(code));
}

function sendAgain(seconds) {
  clearTimeout(sendAgainTimer);
  sendAgainTimer = setTimeout(postAll, seconds ? seconds * 1_000 : SEND_AGAIN_AFTER);
}

function refuse(row, id, code) {
  keep.settle(id);
  putRefusal(row, chatError(code), () => {
    composer.fill(row.text);
    composer.focus();
    row.remove();
  });
  say(chatError(code));
}

const atOf = (frame, id) => timeOf(frame.sent_at, frame.at, frame.created_at) ?? bornAt(id) ?? new Date();

// ------------------------------------------------------------------ what the page says about itself

const banner = document.getElementById("banner");
let bannerTimer = 0;
let noticeTimer = 0;

/** A drop that mends itself at once is not worth a word; a longer one is told by the banner, and both ends to a screen reader. */
function showState(state) {
  document.body.dataset.connection = state;
  clearTimeout(bannerTimer);
  if (state === "open") {
    tellState(state);
    bannerTimer = setTimeout(() => (banner.hidden = true), banner.hidden ? 0 : BACK_FOR);
    return;
  }
  tail.cut();
  bannerTimer = setTimeout(() => {
    tellState(state);
    banner.hidden = false;
  }, BANNER_AFTER);
}

function tellState(state) {
  const words = connectionWords(state);
  put(part(banner, "words"), words);
  put(document.getElementById("status"), words.split(/[.…]/)[0]);
}

function notice(sentence) {
  const place = document.getElementById("notice");
  put(part(place, "words"), sentence);
  place.hidden = false;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => (place.hidden = true), 8_000);
}

function showEmptiness() {
  document.getElementById("empty").hidden = hasHistory || !log.isEmpty;
  const first = log.firstSeq;
  document.getElementById("earlier").hidden = log.isEmpty || from === 0 || first <= 1;
}

setInterval(() => {
  const now = moment();
  for (const row of cards.values()) if (row.approval.state === "pending") putTimeLeft(row, now);
}, 1_000);

document.getElementById("earlier").addEventListener("click", earlier);
for (const chip of document.querySelectorAll("[data-say]")) chip.addEventListener("click", () => send(chip.dataset.say));
keep.unsent().forEach(showOwn);
showEmptiness();
connection.open();
