/** Who asked, who decided, and where their runs are seen. */

import { actionWords } from "./facts.js";
import { clockOf, timeOf } from "./times.js";
import { verdictWords } from "./words.js";

const page = document.body.dataset;

/** A name for whoever decided or asked: a member's or a person's, `you`, or the clock's policy. */
export function nameOf(who) {
  if (!who) return "somebody";
  if (typeof who === "object") return nameOf(who.name ?? who.id);
  if (who === page.member) return "you";
  return who === "policy" ? "the deadline’s default" : who;
}

/** Who asked, and from which conversation. */
export function askedLine({ requester, conversation_id: conversation }) {
  return `Asked by ${nameOf(requester)}${conversation ? ` in conversation ${shortId(conversation)}` : ""}`;
}

/** An id as people compare them: its kind and its last letters. The whole one belongs into the title. */
function shortId(id) {
  const [kind, rest] = id.split("_");
  return rest?.length > 8 ? `${kind}_…${rest.slice(-6)}` : id;
}

/** One sentence that says who decided, what and when. */
export function decidedLine(approval) {
  const when = timeOf(approval.decided_at);
  const by = nameOf(approval.decided_by_name ?? approval.decided_by);
  const verdict = verdictWords(approval.verdict ?? approval.state).toLowerCase();
  return `${actionWords(by)} ${verdict} this${when ? ` at ${clockOf(when)}` : ""}.`;
}

/** A workflow's page in Temporal's web UI. */
export function runOf({ id, workflow_id: workflow }) {
  return runUrl(workflow?.startsWith("approval/") ? workflow : `approval/${page.tenant}/${id}`);
}

export function sessionRunOf({ session_id: session }) {
  return session ? runUrl(`session/${page.tenant}/${session}`) : null;
}

function runUrl(workflow) {
  return `${page.runs}/${encodeURIComponent(workflow)}`;
}

/** Points a link at a run, or hides it where there is none. */
export function putRun(anchor, url) {
  anchor.hidden = !url;
  if (url) anchor.href = url;
}
