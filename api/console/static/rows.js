/** What a row of the conversation shows, for each kind of row. */

import { copyOf, icon, part, put } from "./dom.js";
import { actionWords, putFacts } from "./facts.js";
import { formatted, linked } from "./format.js";
import { clockOf, leftOf, moment, timeOf } from "./times.js";
import { lampOf, verdictWords } from "./words.js";

/** What the person wrote. */
export function ownRow(text) {
  const row = copyOf("own");
  part(row, "text").append(linked(text));
  row.text = text;
  return row;
}

const STATES = {
  sending: ["clock", "Sending"],
  stored: ["tick", "Stored"],
  failed: ["alert", "Not sent"],
};

/** Shows how far an own message has come: sending, stored, failed. */
export function putState(row, state) {
  if (row.dataset.state === state) return;
  row.dataset.state = state;
  const [picture, words] = STATES[state];
  const place = part(row, "state");
  place.title = words;
  part(place, "words").textContent = words;
  place.querySelector(".icon")?.remove();
  place.append(icon(picture));
}

/** Explains why an own message did not go out, with a way to take its text back. */
export function putRefusal(row, sentence, onEdit) {
  putState(row, "failed");
  const refusal = copyOf("refusal");
  part(refusal, "words").textContent = sentence;
  part(refusal, "edit").addEventListener("click", onEdit, { once: true });
  part(row, "refusal")?.remove();
  row.append(refusal);
}

/** What the agent said, with its buttons. */
export function theirRow() {
  return copyOf("theirs");
}

export function putText(row, text) {
  if (row.text === text) return;
  row.text = text;
  part(row, "text").replaceChildren(formatted(text));
}

/** Buttons are the replies an answer offers; the one that was taken stays marked. */
export function putButtons(row, buttons, onChoice) {
  if (!buttons?.length || part(row, "replies")) return;
  const replies = copyOf("replies");
  for (const { id, label, text } of buttons) {
    const button = copyOf("reply");
    button.textContent = label ?? text ?? id;
    button.says = text ?? label ?? id;
    button.addEventListener("click", () => onChoice(button.says));
    replies.append(button);
  }
  part(row, "body").append(replies);
}

/** Marks the button above an own message that says just what a button would have said. */
export function markChosen(ownMessage) {
  let row = ownMessage.previousElementSibling;
  while (row && row.dataset.side === "own") row = row.previousElementSibling;
  const buttons = [...(row?.querySelectorAll("[data-part=replies] button") ?? [])];
  const chosen = buttons.find((button) => button.says === ownMessage.text);
  if (!chosen) return;
  for (const button of buttons) button.disabled = true;
  chosen.setAttribute("aria-pressed", "true");
}

/** The card of an approval inside the conversation. */
export function approvalRow(frame) {
  const row = copyOf("approval");
  row.approval = {};
  putApproval(row, frame);
  return row;
}

/** Brings a card up to date; a later frame may leave out what an earlier one said. */
export function putApproval(row, frame) {
  const approval = Object.assign(row.approval, withoutEmpty(frame));
  const lamp = lampOf(approval.state, approval.verdict);
  part(row, "lamp").dataset.lit = lamp;
  row.dataset.lit = lamp;
  put(part(row, "action"), actionWords(approval.action));
  putFacts(part(row, "facts"), approval.arguments);
  put(part(row, "standing"), approval.state === "pending" ? "Waiting for a person" : verdictWords(approval.verdict ?? approval.state));
  const comment = part(row, "comment");
  put(comment, approval.comment ? `“${approval.comment}”` : "");
  comment.hidden = !approval.comment;
  putTimeLeft(row);
}

/** The last line of a card: how long there is, or who settled it and when. Called again as time passes. */
export function putTimeLeft(row, now = moment()) {
  const { state, verdict, asked, deadline_at: deadline, decided_by: by, decided_at: at } = row.approval;
  if (state === "pending") {
    const due = timeOf(deadline);
    const whom = `Asked ${asked ?? "the owner"}`;
    if (!due) put(part(row, "when"), whom);
    else put(part(row, "when"), due > now ? `${whom} — ${leftOf(due, now)} left` : "The time is up. Waiting for the outcome…");
    return;
  }
  const when = timeOf(at);
  const words = { expired: "Nobody decided in time", cancelled: "No longer needed" }[verdict ?? state];
  const who = by && by !== "policy" ? `by ${by}` : "";
  put(part(row, "when"), words ?? [who, when ? `at ${clockOf(when)}` : ""].filter(Boolean).join(" "));
}

function withoutEmpty(frame) {
  return Object.fromEntries(Object.entries(frame).filter(([, value]) => value !== null && value !== undefined));
}
