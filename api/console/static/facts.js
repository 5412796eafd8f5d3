/** An action and its arguments, readable: shared by the card in a chat and the card of an approver. */

/** `refund_order` → `Refund order`. The exact name stays visible beside it where it matters. */
export function actionWords(action) {
  const words = String(action ?? "action").replace(/[._-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Fills a <dl> with one line per argument. Values that are structures are shown as JSON. */
export function putFacts(list, facts) {
  const lines = inOrder(facts).flatMap(([name, value]) => {
    const term = document.createElement("dt");
    const worth = document.createElement("dd");
    const deep = value !== null && typeof value === "object";
    term.textContent = name;
    term.dir = worth.dir = "auto";
    worth.textContent = deep ? structure(value) : String(value);
    worth.classList.toggle("deep", deep);
    return [term, worth];
  });
  list.replaceChildren(...lines);
  list.hidden = lines.length === 0;
}

/** Arguments by name, in the order of their canonical form, which is the one that is hashed. */
export function inOrder(facts) {
  return Object.entries(facts ?? {}).sort(([one], [other]) => (one < other ? -1 : 1));
}

/** Short structures stay on one line, long ones get one line per member. */
function structure(value) {
  const oneLine = JSON.stringify(value);
  return oneLine.length <= 72 ? oneLine : JSON.stringify(value, null, 2);
}
