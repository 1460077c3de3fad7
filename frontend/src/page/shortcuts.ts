/** Single keys that press elements of the page, and the help that lists them. */

import { all, make } from "../dom";
import { shortcutOf } from "../keys";
import { pageTexts } from "../texts";

/** Shortcuts of one character can be turned off (WCAG 2.2, 2.1.4). */
const OFF_KEY = "bm-shortcuts";
const IS_MAC = /mac|iphone|ipad/i.test(navigator.userAgent);

export function listenForShortcuts(): void {
  document.addEventListener("keydown", (event) => {
    const key = shortcutOf(event);
    if (key === null || event.defaultPrevented || event.isComposing || isTyping(event.target) || hasDialog()) {
      return;
    }
    if (key === "?") {
      event.preventDefault();
      showHelp();
    } else if (areOn() && press(key, event.target as Element)) {
      event.preventDefault();
    }
  });
  document.addEventListener("click", (event) => {
    if ((event.target as Element).closest("button[data-shortcut='?']")) {
      event.preventDefault();
      showHelp();
    }
  });
}

/** Return whether the key was used: first in the focused conflict, then anywhere on the page. */
function press(key: string, focused: Element): boolean {
  const selector = `[data-shortcut="${CSS.escape(key)}"]`;
  const conflict = focused.closest("[data-conflict]");
  if (conflict !== null && choose(conflict, key)) {
    return true;
  }
  const found = conflict?.querySelector<HTMLElement>(selector) ?? all(selector).find(isReachable);
  if (found === undefined) {
    return false;
  }
  use(found);
  return true;
}

const CHOICES: Readonly<Record<string, string>> = { 1: "base", 2: "theirs", 3: "mine" };

/** Return a conflict's radio input by its value, or else by its position. */
function choose(conflict: Element, key: string): boolean {
  const wanted = CHOICES[key];
  const inputs = all<HTMLInputElement>("input[type='radio']", conflict).filter((input) => !input.disabled);
  const input = inputs.find(({ value }) => value === wanted) ?? (wanted && inputs[Number(key) - 1]);
  if (!input) {
    return false;
  }
  input.focus();
  input.click();
  return true;
}

function use(element: HTMLElement): void {
  if (element.matches("input:not([type='radio'], [type='checkbox'], [type='submit'], [type='button']), textarea, select")) {
    element.focus();
    if (element instanceof HTMLInputElement) {
      element.select();
    }
  } else {
    element.click();
  }
}

function isReachable(element: HTMLElement): boolean {
  return element.getClientRects().length > 0 && !element.matches(":disabled, [aria-disabled='true']");
}

function isTyping(target: EventTarget | null): boolean {
  const element = target as HTMLElement;
  return (
    element.isContentEditable ||
    element.matches("textarea, select, input:not([type='radio'], [type='checkbox'], [type='button'], [type='submit'])")
  );
}

function hasDialog(): boolean {
  return document.querySelector("dialog[open]") !== null;
}

function areOn(): boolean {
  try {
    return localStorage.getItem(OFF_KEY) !== "off";
  } catch {
    return true;
  }
}

function setOn(isOn: boolean): void {
  try {
    isOn ? localStorage.removeItem(OFF_KEY) : localStorage.setItem(OFF_KEY, "off");
  } catch {
    // Without storage the choice cannot be kept, so the switch returns to its old state.
  }
}

function showHelp(): void {
  const texts = pageTexts();
  const heading = make("h2", { id: "shortcuts-heading" }, texts.shortcuts);
  const dialog = make("dialog", { class: "dialog", "aria-labelledby": heading.id, "data-made-by-script": "" }, heading);
  dialog.append(...section(texts.onePage, pageKeys()));
  if (document.querySelector("[data-editor], [data-compare]")) {
    dialog.append(...section(texts.editorKeys, editorKeys()));
  }
  const close = make("form", { method: "dialog", class: "buttons" }, make("button", { class: "button" }, texts.close));
  dialog.append(offSwitch(), ...linkToHelp(), close);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** Return the page's own link for `?`, if any: it explains more than keys. */
function linkToHelp(): HTMLElement[] {
  const link = document.querySelector<HTMLAnchorElement>("a[data-shortcut='?']");
  const label = link?.getAttribute("aria-label") || link?.textContent?.trim();
  return link !== null && label ? [make("p", {}, make("a", { href: link.href }, label))] : [];
}

function section(title: string, keys: readonly (readonly [key: string, label: string])[]): HTMLElement[] {
  const rows = keys.flatMap(([key, label]) => [make("dt", {}, make("kbd", {}, key)), make("dd", {}, label)]);
  return rows.length === 0 ? [] : [make("h3", {}, title), make("dl", { class: "shortcuts" }, ...rows)];
}

/** Return each shortcut once, even if several conflicts have it. */
function pageKeys(): [string, string][] {
  const labels = new Map<string, string>([["?", pageTexts().shortcuts]]);
  for (const { dataset } of all("[data-shortcut][data-shortcut-label]")) {
    labels.set(dataset["shortcut"] ?? "", dataset["shortcutLabel"] ?? "");
  }
  return [...labels];
}

function editorKeys(): [string, string][] {
  const texts = pageTexts();
  const control = IS_MAC ? "⌘" : "Ctrl";
  return [
    [`${control} S`, texts.save],
    [`${control} F`, texts.findText],
    ["F8", texts.nextProblem],
    [`${control} [  ${control} ]`, texts.indent],
    [IS_MAC ? "⌥⌘ [  ⌥⌘ ]" : "Ctrl Shift [  Ctrl Shift ]", texts.foldText],
    ["Esc  Tab", texts.editorLeave],
  ];
}

function offSwitch(): HTMLElement {
  const box = make("input", { type: "checkbox" });
  box.checked = areOn();
  box.addEventListener("change", () => {
    setOn(box.checked);
    box.checked = areOn();
  });
  return make("label", { class: "switch" }, box, " ", pageTexts().shortcutsOn);
}
