/** Tracks which forms have unsaved changes, and asks before they are lost. */

import { all } from "../dom";

/** Fields that describe how a text was sent, and not the text. */
const INCIDENTAL: ReadonlySet<string> = new Set(["csrf_token", "content_exact"]);

const snapshots = new WeakMap<HTMLFormElement, string>();

/** Store the initial state of every guarded form that is not known yet. */
export function rememberForms(root: ParentNode = document): void {
  for (const form of all<HTMLFormElement>("form[data-guard]", root)) {
    if (!snapshots.has(form)) {
      snapshots.set(form, contentOf(form));
    }
  }
}

/** Return whether a guarded form has changed, or contains `[data-unsaved]`. */
export function isDirty(form: HTMLFormElement): boolean {
  if (snapshots.has(form) && form.querySelector("[data-unsaved]") !== null) {
    return true;
  }
  const before = snapshots.get(form);
  return before !== undefined && before !== contentOf(form);
}

/**
 * Return the guarded forms without unsaved changes; the server's next update becomes their initial
 * state.
 */
export function cleanForms(): HTMLFormElement[] {
  return all<HTMLFormElement>("form[data-guard]").filter((form) => !isDirty(form));
}

/** Store the present state of these forms, and of new ones, as their initial state. */
export function rememberAnew(forms: readonly HTMLFormElement[]): void {
  forms.forEach((form) => snapshots.delete(form));
  rememberForms();
}

export function guardForms(): void {
  rememberForms();
  let leaving: HTMLFormElement | null = null;
  // After all other listeners, which may have cancelled this submission to ask first.
  window.addEventListener("submit", (event) => {
    leaving = event.defaultPrevented ? null : (event.target as HTMLFormElement);
  });
  window.addEventListener("beforeunload", (event) => {
    const isUnsaved = (form: HTMLFormElement): boolean => form !== leaving && isDirty(form);
    if (all<HTMLFormElement>("form[data-guard]").some(isUnsaved)) {
      event.preventDefault();
    }
    // A submission that ends in a download does not leave the page.
    leaving = null;
  });
}

function contentOf(form: HTMLFormElement): string {
  const fields = [...new FormData(form)].filter(([name]) => !INCIDENTAL.has(name));
  const plain = fields.map(([name, value]) => [name, typeof value === "string" ? value.replace(/\r\n?/g, "\n") : value.name]);
  return JSON.stringify(plain);
}
