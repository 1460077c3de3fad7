/** Updates a part of the page without disturbing what the person is using. */

import { Idiomorph } from "idiomorph";
import { isDirty } from "./forms";

/** Make `old` equal to `fresh`: reuse its elements, and skip those in use or made by scripts. */
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

/** Return whether an element is a field with the focus, or a form with unsaved fields. */
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

/** Return whether a relative time already shows the same time. */
function isSameTime(old: Element, fresh: Element): boolean {
  return old.matches("time[data-relative]") && old.getAttribute("datetime") === fresh.getAttribute("datetime");
}

/** Keep what the person or a script set: an opened <details>, a typed text, a hidden text area. */
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

/** Elements made by scripts have ids that no server-made element has. */
function isMadeByScript(node: Element): boolean {
  return node.hasAttribute("data-made-by-script");
}
