/** Redrawing a part of the page without taking it away from whoever is using it. */

import { Idiomorph } from "idiomorph";
import { isDirty } from "./forms";

/** Make `old` equal `fresh`, reusing its elements, and leaving alone what is in use or was made by a script. */
export function morph(old: Element, fresh: Element): void {
  Idiomorph.morph(old, fresh, {
    callbacks: {
      beforeNodeMorphed: (node, wanted) => !isLeftAlone(node, wanted),
      beforeNodeRemoved: (node) => !(node instanceof Element && (isMadeByScript(node) || hasInUse(node))),
      beforeAttributeUpdated: (name, element) => !isOfReader(element, name),
    },
  });
}

function isLeftAlone(old: Node, fresh: Node): boolean {
  return old.isEqualNode(fresh) || (old instanceof Element && (isInUse(old) || isSameTime(old, fresh as Element)));
}

/** A field with the focus, or a form with unsaved fields. */
function isInUse(element: Element): boolean {
  if (element instanceof HTMLFormElement && isDirty(element)) {
    return true;
  }
  const isField = element.matches("input, select, textarea, [contenteditable], dialog[open]");
  return isField && element.contains(document.activeElement);
}

function hasInUse(element: Element): boolean {
  return isInUse(element) || [...element.querySelectorAll("form, input, select, textarea")].some(isInUse);
}

/** A relative time which shows the same moment says so in its own words already. */
function isSameTime(old: Element, fresh: Element): boolean {
  return old.matches("time[data-relative]") && old.getAttribute("datetime") === fresh.getAttribute("datetime");
}

/** What the reader or a script set: an opened <details>, a typed text, a hidden text area beneath its editor. */
function isOfReader(element: Element, name: string): boolean {
  return (
    (name === "open" && element.matches("details, dialog")) ||
    (name === "value" && isField(element) && element.value !== element.defaultValue) ||
    (name === "checked" && element instanceof HTMLInputElement && element.checked !== element.defaultChecked) ||
    (element.hasAttribute("data-enhanced") && ["hidden", "style", "required", "value", "data-enhanced"].includes(name))
  );
}

function isField(element: Element): element is HTMLInputElement | HTMLTextAreaElement {
  return element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement;
}

/** Each has an id which no drawn element has, so that it is never taken for one. */
function isMadeByScript(node: Element): boolean {
  return node.hasAttribute("data-made-by-script");
}
