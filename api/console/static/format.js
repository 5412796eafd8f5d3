/** Message text as nodes. Nothing here ever parses markup: whatever a message says, it stays text. */

const FENCE = /^```[^\n`]*\n([\s\S]*?)(?:\n?^```[ \t]*$|$(?![\s\S]))/gm;
const INLINE = /`([^`\n]+)`|\*\*(\S(?:[^*\n]*\S)?)\*\*|\bhttps?:\/\/[^\s<>"'`]+/g;
const AFTER_A_LINK = /[.,;:!?'"*_»…]+$/;

/** A fragment with links, code and emphasis; an open fence, as while streaming, counts as code to the end. */
export function formatted(text) {
  const fragment = document.createDocumentFragment();
  let from = 0;
  for (const match of text.matchAll(FENCE)) {
    addProse(fragment, text.slice(from, match.index));
    fragment.append(codeBlock(match[1]));
    from = match.index + match[0].length;
  }
  addProse(fragment, text.slice(from));
  return fragment;
}

/** A fragment in which only links are more than text: for what the person wrote. */
export function linked(text) {
  const fragment = document.createDocumentFragment();
  addInline(fragment, text, false);
  return fragment;
}

function addProse(fragment, text) {
  if (!text.trim()) return;
  const prose = document.createElement("div");
  prose.className = "prose";
  prose.dir = "auto";
  addInline(prose, text.replace(/^\n+|\n+$/g, ""), true);
  fragment.append(prose);
}

function addInline(parent, text, emphasis) {
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    const [whole, code, strong] = match;
    const isLink = code === undefined && strong === undefined;
    if (!isLink && !emphasis) continue;
    const node = isLink ? link(whole) : element(code === undefined ? "strong" : "code", code ?? strong);
    if (!node) continue;
    parent.append(text.slice(from, match.index), node);
    from = match.index + (isLink ? node.textContent.length : whole.length);
  }
  parent.append(text.slice(from));
}

function link(written) {
  const address = withoutWhatFollows(written);
  if (!URL.canParse(address)) return null;
  const anchor = element("a", address);
  anchor.href = address;
  anchor.target = "_blank";
  anchor.rel = "noopener noreferrer nofollow";
  return anchor;
}

function withoutWhatFollows(written) {
  let address = written.replace(AFTER_A_LINK, "");
  while (address.endsWith(")") && address.split(")").length > address.split("(").length) address = address.slice(0, -1).replace(AFTER_A_LINK, "");
  return address;
}

function codeBlock(code) {
  const block = element("pre", "");
  block.tabIndex = 0;
  block.dir = "ltr";
  block.append(element("code", code));
  return block;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
