/** The sentences the pages say by themselves. Codes are those of the protocol; an unknown one gets the plainest sentence. */

const CHAT_ERRORS = {
  too_long: "That message is longer than this chat takes. Shorten it and send it again.",
  rate_limited: "That was faster than this chat takes. Your message is kept and goes out in a moment.",
  invalid: "That message could not be read. Please write it again.",
  connection_limit: "This chat has as many visitors as it can take right now. It keeps trying; your messages are kept.",
  gone: "This chat is not open any more.",
  postgres_unavailable: "Your message could not be stored just now. It is kept here and sent again by itself.",
  temporal_unavailable: "The answer may take a little longer than usual. Your message is safe.",
  model_unavailable: "The assistant is not reachable just now. Your message is safe and is answered as soon as it is back.",
};

export const chatError = (code) => CHAT_ERRORS[code] ?? "Something went wrong here. Your messages are kept; please try again in a moment.";

const CONNECTION = {
  connecting: "Connecting…",
  open: "Connected",
  lost: "Reconnecting…",
  offline: "You are offline. Messages are kept and sent when you are back.",
  full: "This chat is full right now. It keeps trying…",
  closed: "This chat is not open any more.",
};

export const connectionWords = (state) => CONNECTION[state];

const DECIDE_ERRORS = {
  not_an_approver: "You are not among those who may decide this.",
  self_decision: "Whoever asked may not decide. Another approver has to.",
  arguments_changed: "What is asked for has changed since this page showed it. Look again before you decide.",
  expired: "The time for this had run out, so its default was applied.",
  forbidden: "Your role does not allow this. Ask a customer_admin.",
  csrf_failed: "This page is out of date. Reload it and decide again; copy your comment first.",
  unauthorized: "You are signed out. Sign in again to decide this.",
  not_found: "This approval does not exist any more.",
};

/** What a refused decision means, from its problem document, and from who decided and when where that is known. */
export function decideError(problem, who = "", when = "") {
  if (problem.code === "already_decided") {
    const verdict = verdictWords(problem.verdict).toLowerCase();
    return `This was already ${verdict}${who && ` by ${who}`}${when && ` at ${when}`}. Your decision was not needed.`;
  }
  return DECIDE_ERRORS[problem.code] ?? problem.detail ?? "This could not be decided just now. Try again in a moment.";
}

const VERDICTS = { approved: "Approved", denied: "Denied", expired: "Expired", cancelled: "Cancelled" };

export const verdictWords = (verdict) => VERDICTS[verdict] ?? "Decided";

/** Which lamp belongs to a state and verdict. */
export function lampOf(state, verdict) {
  if (state === "pending") return "waiting";
  if (verdict === "approved") return "yes";
  return verdict === "denied" ? "no" : "off";
}
