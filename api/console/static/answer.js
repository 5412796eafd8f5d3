/** What an approver gives besides yes or no: a choice, or an answer in words. */

/** Fills the place for an answer according to the approval's kind; a plain approval has none. */
export function putAnswer(place, approval) {
  const fields = { choose: choices, answer: words }[approval.kind]?.(approval) ?? [];
  place.replaceChildren(...fields);
  place.hidden = fields.length === 0;
}

/** What the button that is not a no says. */
export const yesWords = ({ kind }) => ({ choose: "Choose", answer: "Answer" })[kind] ?? "Approve";

/** The members of the decision that hold the answer; null when something is missing, which the browser then points out. */
export function readAnswer(place, approval, verdict) {
  if (place.hidden || verdict !== "approved") return {};
  const fields = [...place.querySelectorAll("input, textarea")];
  if (!fields.every((field) => field.reportValidity())) return null;
  return { answer: approval.kind === "choose" ? fields.find((field) => field.checked).value : fields[0].value };
}

function choices({ id, options }) {
  return (options ?? []).map((option) => {
    const radio = made("input", { type: "radio", name: `choice-${id}`, value: option, required: true });
    return labelled("choice", radio, made("span", { textContent: option, dir: "auto" }));
  });
}

function words() {
  const field = made("textarea", { rows: 2, required: true, maxLength: 4_000, dir: "auto" });
  return [labelled("field", made("span", { textContent: "Your answer" }), field)];
}

function labelled(className, ...children) {
  const label = made("label", { className });
  label.append(...children);
  return label;
}

function made(element, properties) {
  return Object.assign(document.createElement(element), properties);
}
