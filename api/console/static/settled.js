/** A line of what was decided lately. */

import { copyOf, part, put } from "./dom.js";
import { actionWords, inOrder } from "./facts.js";
import { decider, putRun } from "./people.js";
import { agoOf, bornAt, moment, putTime, timeOf } from "./times.js";
import { lampOf, verdictWords } from "./words.js";

const BRIEF = 120;
const CARRIED_OUT = { started: "being carried out", done: "carried out", failed: "but it failed", unknown: "outcome unknown" };

export function settledRow(approval) {
  const row = copyOf("settled-row");
  putSettled(row, approval);
  return row;
}

export function putSettled(row, approval) {
  row.approval = approval;
  const verdict = approval.verdict ?? approval.state;
  part(row, "lamp").dataset.lit = lampOf(approval.state, approval.verdict);
  put(part(row, "verdict"), verdictWords(verdict));
  put(part(row, "action"), actionWords(approval.action));
  put(part(row, "brief"), brief(approval.arguments) + (approval.answer ? ` → ${approval.answer}` : ""));
  const comment = part(row, "comment");
  put(comment, approval.comment ?? "");
  comment.hidden = !approval.comment;
  const who = verdict === "expired" ? "Nobody decided in time" : `by ${decider(approval)}`;
  const then = verdict === "approved" ? CARRIED_OUT[approval.call_state] : "";
  put(part(row, "who"), then ? `${who} · ${then}` : who);
  putRun(part(row, "run"), approval.run_url);
  putAge(row);
}

export function putAge(row, now = moment()) {
  const at = decidedAt(row.approval);
  putTime(part(row, "time"), at, agoOf(at, now));
}

export const decidedAt = (approval) => timeOf(approval.decided_at, approval.updated_at, approval.deadline_at) ?? bornAt(approval.id) ?? new Date(0);

/** The arguments in one line, cut where it gets long. */
function brief(facts) {
  const words = inOrder(facts).map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`).join(" · ");
  return words.length > BRIEF ? `${words.slice(0, BRIEF - 1)}…` : words;
}
