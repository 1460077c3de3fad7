/** Which forms hold something unsaved, and asking before it is lost. */

import { all } from "../dom";

/** Fields which say how a text was sent, not what it is. */
const INCIDENTAL: ReadonlySet<string> = new Set(["csrf_token", "content_exact"]);

const snapshots = new WeakMap<HTMLFormElement, string>();

/** Remember every guarded form as it was drawn; one that is known already keeps its first state. */
export function rememberForms(root: ParentNode = document): void {
  for (const form of all<HTMLFormElement>("form[data-guard]", root)) {
    if (!snapshots.has(form)) {
      snapshots.set(form, contentOf(form));
    }
  }
}

/** Whether a guarded form holds anything else than when it was drawn, or was drawn with `[data-unsaved]` in it. */
export function isDirty(form: HTMLFormElement): boolean {
  if (snapshots.has(form) && form.querySelector("[data-unsaved]") !== null) {
    return true;
  }
  const before = snapshots.get(form);
  return before !== undefined && before !== contentOf(form);
}

/** The guarded forms with nothing unsaved: what the server draws into them next is what they were drawn with. */
export function cleanForms(): HTMLFormElement[] {
  return all<HTMLFormElement>("form[data-guard]").filter((form) => !isDirty(form));
}

/** Take what these forms hold now for what they were drawn with, and remember those that are new. */
export function rememberAnew(forms: readonly HTMLFormElement[]): void {
  forms.forEach((form) => snapshots.delete(form));
  rememberForms();
}

export function guardForms(): void {
  rememberForms();
  let leaving: HTMLFormElement | null = null;
  // Behind every other listener of the page, which may have stopped this submission to ask first.
  window.addEventListener("submit", (event) => {
    leaving = event.defaultPrevented ? null : (event.target as HTMLFormElement);
  });
  window.addEventListener("beforeunload", (event) => {
    const isUnsaved = (form: HTMLFormElement): boolean => form !== leaving && isDirty(form);
    if (all<HTMLFormElement>("form[data-guard]").some(isUnsaved)) {
      event.preventDefault();
    }
    // A submission which ends in a download leaves the page where it is.
    leaving = null;
  });
}

function contentOf(form: HTMLFormElement): string {
  const fields = [...new FormData(form)].filter(([name]) => !INCIDENTAL.has(name));
  const plain = fields.map(([name, value]) => [name, typeof value === "string" ? value.replace(/\r\n?/g, "\n") : value.name]);
  return JSON.stringify(plain);
}
