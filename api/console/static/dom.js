/** Markup lives in the page's <template> elements; here it is copied and filled, always as text. */

const SPOKEN_WITHIN = 4_000;

/** A fresh copy of the single element inside `<template id="…">`. */
export function copyOf(templateId) {
  return document.getElementById(templateId).content.firstElementChild.cloneNode(true);
}

/** The part of `element` that its markup calls `data-part="name"`. */
export function part(element, name) {
  return element.querySelector(`[data-part="${name}"]`);
}

/** Sets text only where it differs, so that a selection or a screen reader is not disturbed. */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** An icon from the page's own sheet, the address of which the page carries. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `${document.documentElement.dataset.icons}#${name}`);
  svg.append(use);
  return svg;
}

/** Says a sentence to a screen reader when it has finished what it is reading; sentences in a row are all heard. */
export function say(text) {
  const sentence = document.createElement("p");
  sentence.textContent = text;
  document.getElementById("voice").append(sentence);
  setTimeout(() => sentence.remove(), SPOKEN_WITHIN);
}
