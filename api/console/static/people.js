/** Who asked, and who decided. */

import { actionWords } from "./facts.js";
import { clockOf, timeOf } from "./times.js";
import { verdictWords } from "./words.js";

const page = document.body.dataset;

export const isUs = (member) => member === page.member;

/** A name for whoever decided or asked: `you`, the clock's policy, a member by name or, where only that is known, by id. */
export function nameOf(who) {
  if (!who) return "somebody";
  if (isUs(who)) return "you";
  return who === "policy" ? "the deadline’s default" : shortId(who);
}

/** Who asked, and from which conversation. */
export function askedLine({ requester, agent, conversation_id: conversation }) {
  const by = requester?.startsWith("ses_") ? (agent ? `the agent ${agent}` : "an agent") : nameOf(requester);
  return `Asked by ${by}${conversation ? ` in conversation ${shortId(conversation)}` : ""}`;
}

/** An id as people compare them: its kind and its last letters. The whole one belongs into the title. */
function shortId(id) {
  const [kind, rest] = id.split("_");
  return rest?.length === 26 ? `${kind}_…${rest.slice(-6)}` : id;
}

/** Whoever decided an approval, by name. */
export const decider = (approval) => nameOf(isUs(approval.decided_by) ? approval.decided_by : approval.decided_by_name ?? approval.decided_by);

/** One sentence that says who decided, what and when. */
export function decidedLine(approval) {
  const when = timeOf(approval.decided_at);
  const by = decider(approval);
  const verdict = verdictWords(approval.verdict ?? approval.state).toLowerCase();
  return `${actionWords(by)} ${verdict} this${when ? ` at ${clockOf(when)}` : ""}.`;
}

/** Points a link at a run, or hides it where there is none. */
export function putRun(anchor, url) {
  anchor.hidden = !url;
  if (url) anchor.href = url;
}
