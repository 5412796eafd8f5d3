/** The card of an approval that waits: what is asked, how long there is, and the decision. */

import { putAnswer, readAnswer, yesWords } from "./answer.js";
import { copyOf, part, put, say } from "./dom.js";
import { actionWords, putFacts } from "./facts.js";
import { askedLine, decidedLine, decider, isUs, putRun } from "./people.js";
import { ask } from "./source.js";
import { agoOf, bornAt, clockOf, countdownOf, moment, putTime, timeOf } from "./times.js";
import { decideError, verdictWords } from "./words.js";

const URGENT = 5 * 60_000;
const OVER = new Set(["already_decided", "expired", "not_found"]);

/** `onDecided(approval)` hears of our decision, `onDismissed()` that a card which was decided elsewhere may go. */
export function askCard(approval, { onDecided, onDismissed }) {
  const card = copyOf("ask");
  const comment = part(card, "comment");
  comment.id = `comment-${approval.id}`;
  part(card, "label").htmlFor = comment.id;
  card.isHeld = false;
  part(card, "form").addEventListener("submit", (event) => {
    event.preventDefault();
    decide(card, event.submitter?.value ?? "approved", onDecided);
  });
  part(card, "dismiss").addEventListener("click", onDismissed);
  part(card, "copy").addEventListener("click", () => copyId(card));
  putAsk(card, approval);
  putAnswer(part(card, "answer"), approval);
  put(part(card, "yes"), yesWords(approval));
  return card;
}

/** Brings a card up to date. What is being typed is left alone. */
export function putAsk(card, approval) {
  const changed = card.approval?.arguments_sha256 !== approval.arguments_sha256;
  card.approval = approval;
  const words = actionWords(approval.action);
  put(part(card, "action"), words);
  card.firstElementChild.setAttribute("aria-label", `${words}: ${askedLine(approval)}`);
  if (changed) putFacts(part(card, "facts"), approval.arguments);
  const context = typeof approval.context === "string" ? approval.context : approval.context?.summary;
  put(part(card, "context"), context ?? "");
  part(card, "context").hidden = !context;
  put(part(card, "id"), approval.id);
  const hash = part(card, "hash");
  put(hash, approval.arguments_sha256 ? `sha256 ${approval.arguments_sha256.slice(0, 12)}` : "");
  hash.title = approval.arguments_sha256 ?? "";
  putRun(part(card, "run"), approval.run_url);
  putRun(part(card, "session-run"), approval.session_run_url);
  putVotes(card);
  part(card, "who").title = approval.conversation_id ?? "";
  putClock(card);
}

/** Where several have to agree: how many did, and whether our own word is among them. */
function putVotes(card) {
  const { approvers = {}, votes = [] } = card.approval;
  const needed = approvers.sequence ? approvers.of.length : approvers.quorum ?? 1;
  if (needed < 2) return;
  const yes = votes.filter((vote) => vote.verdict === "approved").length;
  const isOurs = votes.some((vote) => isUs(vote.by));
  putOutcome(card, `${yes} of ${needed} have approved${isOurs ? ", you among them. The others still have to." : "."}`);
  if (isOurs) busy(card, true);
}

/** The running parts: age and time left. */
export function putClock(card, now = moment()) {
  const { approval } = card;
  const born = timeOf(approval.created_at, approval.asked_at) ?? bornAt(approval.id) ?? now;
  const due = timeOf(approval.deadline_at);
  put(part(card, "who"), `${askedLine(approval)} · ${agoOf(born, now)}`);
  if (!due) return;
  const isOver = due <= now;
  putTime(part(card, "left"), due, isOver ? "Time is up" : countdownOf(due, now));
  part(card, "left-words").hidden = isOver;
  card.classList.toggle("urgent", due - now < URGENT);
  const share = Math.min(1, Math.max(0, (due - now) / Math.max(1, due - born)));
  part(card, "bar").style.inlineSize = `${(share * 100).toFixed(2)}%`;
}

/** Whether somebody is in the middle of writing on this card. */
export function isInUse(card) {
  return part(card, "comment").value.trim() !== "" || part(card, "form").contains(document.activeElement);
}

/** Keeps a card that was decided elsewhere in sight, with the sentence that says so. */
export function hold(card, approval) {
  const typed = part(card, "comment").value.trim();
  holdWith(card, `${decidedLine(approval)}${typed ? " Your comment was not sent." : ""}`);
}

async function decide(card, verdict, onDecided) {
  const { approval } = card;
  const answered = readAnswer(part(card, "answer"), approval, verdict);
  if (answered === null) return;
  const comment = part(card, "comment").value.trim();
  busy(card, true);
  try {
    const body = { verdict, arguments_sha256: approval.arguments_sha256, ...(comment && { comment }), ...answered };
    const decided = await ask(`${pathOf(approval)}/decide`, body);
    busy(card, false);
    onDecided({ ...approval, ...decided });
    say(`${verdictWords(decided.verdict ?? verdict)}: ${actionWords(approval.action)}`);
  } catch (problem) {
    busy(card, false);
    if (OVER.has(problem.code)) await explain(card, problem);
    else putOutcome(card, decideError(problem));
  }
}

/** Says who was faster, by name where the approval can still be read. */
async function explain(card, problem) {
  const now = await ask(pathOf(card.approval)).catch(() => problem);
  const when = timeOf(now.decided_at);
  holdWith(card, decideError(problem, now.decided_by ? decider(now) : "", when ? clockOf(when) : ""));
}

const pathOf = ({ id }) => `/v1/approvals/${encodeURIComponent(id)}`;

function busy(card, isBusy) {
  for (const button of part(card, "form").querySelectorAll("button")) button.disabled = isBusy;
  card.classList.toggle("busy", isBusy);
}

function holdWith(card, sentence) {
  card.isHeld = true;
  card.classList.add("held");
  busy(card, true);
  part(card, "comment").readOnly = true;
  part(card, "dismiss").hidden = false;
  putOutcome(card, sentence);
}

function putOutcome(card, sentence) {
  part(card, "outcome").hidden = false;
  put(part(card, "outcome-words"), sentence);
}

async function copyId(card) {
  const id = part(card, "id");
  try {
    await navigator.clipboard.writeText(id.textContent);
    say("The id was copied");
    part(card, "copy").classList.add("copied");
    setTimeout(() => part(card, "copy").classList.remove("copied"), 1_200);
  } catch {
    getSelection().selectAllChildren(id);
  }
}
