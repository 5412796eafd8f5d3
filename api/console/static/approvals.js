/** The approvals page: keeps the list of what waits and of what was decided in step with the server, without disturbing anyone who types. */

import { put } from "./dom.js";
import { ask, follow, signOut } from "./source.js";
import { decidedAt, putAge, putSettled, settledRow } from "./settled.js";
import { moment } from "./times.js";
import { askCard, hold, isInUse, putAsk, putClock } from "./waiting.js";

const LATELY = 30;

const waiting = document.getElementById("waiting");
const settled = document.getElementById("settled");
const trouble = document.getElementById("trouble");
const cards = new Map();
const lines = new Map();
let isLoaded = false;
let isLive = false;

async function look() {
  try {
    const [pending, recent] = await Promise.all([ask("/v1/approvals?state=pending"), ask("/v1/approvals")]);
    trouble.hidden = true;
    merge(pending.items, recent.items.filter((one) => one.state !== "pending"));
    isLoaded = true;
    showCounts();
  } catch (problem) {
    const isTyping = [...cards.values()].some(isInUse);
    if (problem.status === 401 && !isTyping) return location.assign("/console/sign-in");
    trouble.hidden = false;
    put(trouble, problem.status ? problem.message : "Switchboard does not answer just now. This page catches up by itself.");
  }
  return undefined;
}

function merge(pending, decided) {
  const byId = new Map(decided.map((one) => [one.id, one]));
  const waits = new Set(pending.map((one) => one.id));
  for (const [id, card] of cards) if (!waits.has(id)) retire(id, card, byId.get(id));
  for (const approval of pending) if (!lines.has(approval.id)) keepWaiting(approval);
  for (const approval of decided) if (!cards.has(approval.id)) keepSettled(approval);
}

/** What is due first stands first; what comes later goes to the end, so that no button moves away under a finger. */

function keepWaiting(approval) {
  const known = cards.get(approval.id);
  if (known) return known.isHeld || putAsk(known, approval);
  const card = askCard(approval, {
    onDecided: (decided) => (decided.state === "pending" ? putAsk(card, decided) : settle(decided)),
    onDismissed: () => dismiss(approval.id),
  });
  cards.set(approval.id, card);
  const later = isLoaded ? null : [...waiting.children].find((other) => due(other.approval) > due(approval));
  waiting.insertBefore(card, later ?? null);
  return undefined;
}

const due = (approval) => approval.deadline_at ?? "9999";

/** A card whose approval does not wait any more goes, unless somebody writes on it: then it says what happened and stays. */
async function retire(id, card, decided) {
  if (card.isHeld) return;
  const approval = decided ?? (await ask(`/v1/approvals/${encodeURIComponent(id)}`).catch(() => null));
  if (!approval || !cards.has(id) || card.isHeld) return;
  if (isInUse(card)) {
    card.approval = approval;
    hold(card, approval);
  } else settle(approval);
}

/** Moves an approval from what waits to what is decided. */
function settle(approval) {
  const card = cards.get(approval.id);
  const next = card?.nextElementSibling ?? card?.previousElementSibling;
  const hadFocus = card?.contains(document.activeElement);
  cards.delete(approval.id);
  card?.remove();
  keepSettled({ ...approval, state: approval.state === "pending" ? "decided" : approval.state }).classList.add("fresh");
  if (hadFocus) (next?.firstElementChild ?? document.getElementById("waiting-title")).focus({ preventScroll: true });
  showCounts();
}

async function dismiss(id) {
  const approval = await ask(`/v1/approvals/${encodeURIComponent(id)}`).catch(() => cards.get(id).approval);
  settle(approval);
}

function keepSettled(approval) {
  const known = lines.get(approval.id);
  if (known) {
    putSettled(known, approval);
    return known;
  }
  const row = settledRow(approval);
  lines.set(approval.id, row);
  const older = [...settled.children].find((other) => decidedAt(other.approval) < decidedAt(approval));
  settled.insertBefore(row, older ?? null);
  while (settled.childElementCount > LATELY) {
    lines.delete(settled.lastElementChild.approval.id);
    settled.lastElementChild.remove();
  }
  return row;
}

function showCounts() {
  const count = [...cards.values()].filter((card) => !card.isHeld).length;
  document.title = `${count ? `(${count}) ` : ""}Approvals — Switchboard`;
  document.getElementById("calm").hidden = !isLoaded || cards.size > 0;
  document.getElementById("past").hidden = lines.size === 0;
  const standing = isLive ? "Live" : "Looking every few seconds";
  put(document.getElementById("pulse"), !isLoaded ? "Loading…" : count ? `${count} waiting · ${standing.toLowerCase()}` : standing);
  document.getElementById("pulse-lamp").dataset.lit = isLive ? "yes" : "off";
}

follow(look, (live) => {
  isLive = live;
  showCounts();
});

document.getElementById("sign-out").addEventListener("click", signOut);

setInterval(() => {
  const now = moment();
  for (const card of cards.values()) if (!card.isHeld) putClock(card, now);
  for (const row of lines.values()) putAge(row, now);
}, 1_000);
