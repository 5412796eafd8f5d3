/** The tour of the demo: a refund waits, worker and API are killed under this page, and it is paid once. For the owner, on the own machine. */

import { put } from "./dom.js";
import { ask } from "./source.js";

const LOOK_EVERY = 400;
const BY_ITSELF = 700;
const AMOUNT = 42;

const of = (name) => document.getElementById(`tour-${name}`);
const panel = document.getElementById("tour");
const steps = [...document.querySelectorAll("#tour-steps [data-step]")];
const buttons = ["ask", "kill", "approve", "approvals", "run"].map(of);
let before = 0;
let approval = null;
/** Each begin of the tour has a number, so that what an earlier one still waits for changes nothing. */
let round = 0;

/** Marks the steps behind us, says where we are, and shows what can be done now. */
function at(step, words, ...shown) {
  const here = steps.findIndex((one) => one.dataset.step === step);
  steps.forEach((one, index) => {
    one.classList.toggle("past", index < here || step === "paid");
    if (index === here) one.setAttribute("aria-current", "step");
    else one.removeAttribute("aria-current");
  });
  put(of("words"), words);
  for (const button of buttons) button.hidden = !shown.includes(button);
}

function open() {
  round += 1;
  approval = null;
  panel.hidden = false;
  of("open").setAttribute("aria-expanded", "true");
  at("ask", "Somebody asks the agent to pay 42 back to Ana. That needs a person’s word.", of("ask"));
  of("title").focus();
}

function close() {
  round += 1;
  panel.hidden = true;
  of("open").setAttribute("aria-expanded", "false");
  of("open").focus();
}

/** What `look` finds, as soon as it finds something; nothing where the tour began anew or was closed. The API may be away meanwhile. */
async function until(look) {
  const mine = round;
  while (mine === round) {
    const found = await look().catch(() => null);
    if (found) return mine === round ? found : null;
    await new Promise((after) => setTimeout(after, LOOK_EVERY));
  }
  return null;
}

async function asked() {
  at("ask", "Asked. The agent calls refund, and its gate says: ask a human first.");
  const since = Date.now() - 5_000;
  approval = await until(async () => {
    const { items } = await ask("/v1/approvals?state=pending");
    return items.find((one) => one.arguments.amount === AMOUNT && Date.parse(one.created_at) > since);
  });
  if (approval) at("kill", "It waits for you: a row in Postgres and a timer in Temporal. Nothing is paid. Now kill what runs it.", of("kill"));
}

async function kill() {
  of("kill").disabled = true;
  try {
    before = (await ask("/console/tour/kill", {})).api;
    at("kill", `Killed with SIGKILL. This page’s API, process ${before}, is gone; the page looks for another.`);
  } catch (problem) {
    return put(of("words"), problem.message);
  } finally {
    of("kill").disabled = false;
  }
  const seen = await until(async () => {
    const now = await ask("/console/tour");
    return now.api !== before && document.body.dataset.connection === "open" ? now : null;
  });
  if (seen) await stillWaits(seen);
}

async function stillWaits({ api }) {
  const now = await until(() => ask(`/v1/approvals/${approval.id}`));
  if (!now) return;
  const same = now.arguments_sha256 === approval.arguments_sha256 ? "with the same arguments" : "with other arguments";
  const told = `Process ${api} answers now. The approval is still ${now.state}, ${same}: ${now.arguments.amount} to ${now.arguments.to}.`;
  if (now.state === "pending") {
    const mine = round;
    at("back", told);
    await new Promise((after) => setTimeout(after, BY_ITSELF));
    if (mine !== round) return;
    at("approve", `${told} Your word, please.`, of("approve"), of("approvals"));
  }
  await outcome();
}

async function approve() {
  of("approve").disabled = true;
  try {
    await ask(`/v1/approvals/${approval.id}/decide`, { verdict: "approved", arguments_sha256: approval.arguments_sha256 });
  } catch (problem) {
    if (problem.code !== "already_decided") put(of("words"), problem.message);
  } finally {
    of("approve").disabled = false;
  }
}

/** Whoever approves, here or in the console: the tour goes on when it is paid. */
async function outcome() {
  const mine = approval;
  const over = await until(async () => {
    const now = await ask(`/v1/approvals/${mine.id}`);
    return now.state !== "pending" && (now.verdict !== "approved" || now.call_state === "done") ? now : null;
  });
  if (!over) return;
  const told = await until(() => ask(`/console/tour?approval=${mine.id}`));
  if (!told) return;
  const { paid } = told;
  const rows = paid === 1 ? "one row" : `${paid} rows`;
  of("run").href = over.run_url;
  at("paid", over.verdict === "approved" ? `Paid: the table demo_refunds has ${rows} for it.` : `It was ${over.verdict}: nothing was paid, ${rows}.`, of("run"));
}

of("open").addEventListener("click", () => (panel.hidden ? open() : close()));
of("close").addEventListener("click", close);
of("ask").addEventListener("click", asked);
of("kill").addEventListener("click", kill);
of("approve").addEventListener("click", approve);
