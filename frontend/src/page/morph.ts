/** Redrawing a part of the page without taking it away from whoever is using it. */

import { pairChildren } from "../pairing";
import { isDirty } from "./forms";

/** Make `old` equal `fresh`, reusing its elements, and leaving alone what is in use or was made by a script. */
export function morph(old: Element, fresh: Element): void {
  if (old.isEqualNode(fresh) || isInUse(old) || isSameTime(old, fresh)) {
    return;
  }
  // A hidden text area's text lives on in its editor, which hears of it.
  morphAttributes(old, fresh);
  morphChildren(old, fresh);
}

/** A field with the focus, or a form with unsaved fields. */
function isInUse(element: Element): boolean {
  if (element instanceof HTMLFormElement && isDirty(element)) {
    return true;
  }
  const isField = element.matches("input, select, textarea, [contenteditable], dialog[open]");
  return isField && element.contains(document.activeElement);
}

/** A relative time which shows the same moment says so in its own words already. */
function isSameTime(old: Element, fresh: Element): boolean {
  return old.matches("time[data-relative]") && old.getAttribute("datetime") === fresh.getAttribute("datetime");
}

function morphAttributes(old: Element, fresh: Element): void {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !isOfReader(old, name)) {
      old.removeAttribute(name);
    }
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !isOfReader(old, name)) {
      old.setAttribute(name, value);
    }
  }
}

/** What the reader or a script set: an opened <details>, a hidden text area beneath its editor. */
function isOfReader(element: Element, name: string): boolean {
  return (
    (name === "open" && element.matches("details, dialog")) ||
    (element.hasAttribute("data-enhanced") && ["hidden", "style", "required", "data-enhanced"].includes(name))
  );
}

function morphChildren(old: Element, fresh: Element): void {
  const before = [...old.childNodes].filter((node) => !isMadeByScript(node));
  const wanted = [...fresh.childNodes];
  const pairs = pairChildren(before.map(childOf), wanted.map(childOf));
  const kept = new Set(pairs.map((index) => before[index]));
  before.filter((node) => !kept.has(node)).forEach((node) => removeUnlessInUse(node));
  let next = firstOwn(old);
  wanted.forEach((node, index) => {
    const match = before[pairs[index] ?? -1];
    const placed = match ?? document.importNode(node, true);
    // Moving an element takes the focus from it, so whatever stands before it moves behind instead, for its turn.
    while (match?.contains(document.activeElement) && next !== null && next !== match) {
      const passed = next;
      next = nextOwn(passed);
      old.append(passed);
    }
    if (placed === next) {
      next = nextOwn(placed);
    } else {
      old.insertBefore(placed, next);
    }
    if (match !== undefined) {
      morphNode(match, node);
    }
  });
}

function morphNode(old: Node, fresh: Node): void {
  if (old instanceof Element && fresh instanceof Element) {
    morph(old, fresh);
  } else if (old.nodeValue !== fresh.nodeValue) {
    old.nodeValue = fresh.nodeValue;
  }
}

function removeUnlessInUse(node: ChildNode): void {
  if (!(node instanceof Element) || !hasInUse(node)) {
    node.remove();
  }
}

function hasInUse(element: Element): boolean {
  return isInUse(element) || [...element.querySelectorAll("form, input, select, textarea")].some(isInUse);
}

function childOf(node: Node): { id: string; name: string } {
  return { id: node instanceof Element ? node.id : "", name: node.nodeName };
}

function isMadeByScript(node: Node): boolean {
  return node instanceof Element && node.hasAttribute("data-made-by-script");
}

function firstOwn(parent: Element): ChildNode | null {
  return skipMade(parent.firstChild);
}

function nextOwn(node: Node): ChildNode | null {
  return skipMade(node.nextSibling);
}

function skipMade(node: ChildNode | null): ChildNode | null {
  let found = node;
  while (found !== null && isMadeByScript(found)) {
    found = found.nextSibling;
  }
  return found;
}
