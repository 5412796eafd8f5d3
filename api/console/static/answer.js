/** What an approver gives besides yes or no: a choice, an answer in words, or mended arguments. */

/** Fills the place for an answer according to the approval's kind; a plain approval has none. */
export function putAnswer(place, approval) {
  const fields = { choose: choices, answer: words, edit: edits, form: form }[approval.kind]?.(approval) ?? [];
  place.replaceChildren(...fields);
  place.hidden = fields.length === 0;
}

/** What the button that is not a no says. */
export const yesWords = ({ kind }) => ({ choose: "Choose", answer: "Answer", form: "Submit" })[kind] ?? "Approve";

/** The members of the decision that hold the answer; null when something is missing, which the browser then points out. */
export function readAnswer(place, approval, verdict) {
  if (place.hidden || verdict !== "approved") return {};
  const fields = [...place.querySelectorAll("input, textarea, select")];
  if (!fields.every((field) => field.reportValidity())) return null;
  if (approval.kind === "choose") return { answer: fields.find((field) => field.checked)?.value };
  if (approval.kind === "answer") return { answer: fields[0].value };
  const values = Object.fromEntries(fields.map((field) => [field.name, valueOf(field)]));
  return approval.kind === "edit" ? { edits: values } : { answer: values };
}

function choices({ id, options }) {
  return (options ?? []).map((option) => {
    const value = typeof option === "object" ? option.id ?? option.value : option;
    const label = typeof option === "object" ? option.label ?? value : option;
    const radio = made("input", { type: "radio", name: `choice-${id}`, value: String(value), required: true });
    return labelled("label", "choice", radio, made("span", { textContent: String(label), dir: "auto" }));
  });
}

function words() {
  return [field("answer", "Your answer", made("textarea", { name: "answer", rows: 2, required: true, dir: "auto" }))];
}

function edits(approval) {
  return Object.entries(approval.arguments ?? {}).map(([name, value]) => {
    const control = made("input", { name, value: typeof value === "string" ? value : JSON.stringify(value), dir: "auto" });
    control.kind = typeof value === "string" ? "text" : "json";
    return field(name, name, control);
  });
}

function form(approval) {
  const { properties = {}, required = [] } = approval.form ?? {};
  return Object.entries(properties).map(([name, schema]) => field(name, schema.title ?? name, control(name, schema, required.includes(name))));
}

function control(name, schema, isRequired) {
  if (schema.enum) {
    const select = made("select", { name, required: isRequired });
    select.append(...schema.enum.map((value) => made("option", { value: JSON.stringify(value), textContent: String(value) })));
    select.kind = "json";
    return select;
  }
  if (schema.type === "boolean") return made("input", { name, type: "checkbox" });
  const isNumber = schema.type === "number" || schema.type === "integer";
  const input = made("input", { name, required: isRequired, type: isNumber ? "number" : "text", dir: "auto" });
  if (isNumber) input.step = schema.type === "integer" ? "1" : "any";
  return input;
}

function valueOf(control) {
  if (control.type === "checkbox") return control.checked;
  if (control.type === "number") return control.value === "" ? null : Number(control.value);
  if (control.kind !== "json") return control.value;
  try { return JSON.parse(control.value); } catch { return control.value; }
}

function field(name, title, control) {
  return labelled("label", "field", made("span", { textContent: title, dir: "auto" }), control);
}

function labelled(element, className, ...children) {
  const label = made(element, { className });
  label.append(...children);
  return label;
}

function made(element, properties) {
  return Object.assign(document.createElement(element), properties);
}
