/** Redraws the form of a sweep while the person fills it in. */

import { all, fetchPage, fieldsOf, isAbort, ownHeaders, REDRAWN, settled } from "../dom";
import { rememberForms } from "./forms";
import { redraw } from "./redraw";

const PAUSE = 300;

let running = new AbortController();

/**
 * Set up `<form id data-drawn-by-server>`.
 *
 * A button with `data-redraws` is sent as without scripts, and the form of the response replaces
 * this one. After other changes, `[data-preview]` elements are updated from the response.
 */
export function drawSweepForms(): void {
  const preview = settled(PAUSE, () => void showPreview());
  for (const kind of ["input", "change"]) {
    document.addEventListener(kind, ({ target }) => {
      const field = target as HTMLElement;
      const form = field.closest<HTMLFormElement>("form[data-drawn-by-server]");
      if (form !== null && kind === "change" && field.matches("[data-redraws]")) {
        preview.cancel();
        void draw(form, null);
      } else if (form !== null) {
        preview();
      }
    });
  }
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLButtonElement>("form[data-drawn-by-server] button[data-redraws]");
    if (button?.form) {
      event.preventDefault();
      preview.cancel();
      void draw(button.form, button);
    }
  });
}

/** Send the form by a button, or as its preview, and show the form of the response instead. */
async function draw(form: HTMLFormElement, button: HTMLButtonElement | null): Promise<void> {
  form.setAttribute("aria-busy", "true");
  try {
    const page = await sent(form, button?.value ?? "preview");
    const fresh = page?.getElementById(form.id);
    if (!fresh) {
      throw new TypeError("The answer has no such form");
    }
    replace(form, document.adoptNode(fresh));
  } catch (error) {
    if (!isAbort(error)) {
      // The browser shows why it fails; the service's sign-in keeps what was typed.
      form.removeAttribute("aria-busy");
      button?.removeAttribute("data-redraws");
      form.requestSubmit(button);
    }
  }
}

function replace(form: HTMLFormElement, fresh: HTMLElement): void {
  const next = fresh.querySelector<HTMLElement>("[autofocus]");
  // The browser would complain that something else has the focus.
  next?.removeAttribute("autofocus");
  const focused = next ? null : sameIn(fresh, document.activeElement);
  const scrolled = all("[data-keeps-scroll]", form).map(({ id, scrollTop }) => [id, scrollTop] as const);
  form.replaceWith(fresh);
  rememberForms();
  document.dispatchEvent(new CustomEvent(REDRAWN));
  scrolled.forEach(([id, top]) => document.getElementById(id)?.scrollTo({ top }));
  (next ?? focused)?.focus();
  if (next instanceof HTMLTextAreaElement || next instanceof HTMLInputElement) {
    next.setSelectionRange(next.value.length, next.value.length);
  }
}

/** Find the element that the focused one has become; null if it is gone, or was in no form. */
function sameIn(fresh: HTMLElement, focused: Element | null): HTMLElement | null {
  if (focused === null || focused.closest("form[data-drawn-by-server]") === null) {
    return null;
  }
  const wanted = focused instanceof HTMLButtonElement ? `button[value="${CSS.escape(focused.value)}"]` : `#${CSS.escape(focused.id)}`;
  return wanted === "#" ? null : fresh.querySelector<HTMLElement>(`${wanted}:not([tabindex="-1"])`);
}

async function showPreview(): Promise<void> {
  const form = document.querySelector<HTMLFormElement>("form[data-drawn-by-server]");
  if (form === null || form.hasAttribute("aria-busy")) {
    return;
  }
  try {
    const page = await sent(form, "preview");
    if (page !== null) {
      redraw("[data-preview]", page);
    }
  } catch (error) {
    if (!isAbort(error)) {
      // The shown cells are out of date now; a plain submission still works.
      all("[data-preview]").forEach((element) => element.setAttribute("aria-busy", "true"));
    }
  }
}

function sent(form: HTMLFormElement, action: string): Promise<Document | null> {
  running.abort();
  running = new AbortController();
  const body = fieldsOf(form);
  body.set("do", action);
  return fetchPage(form.action, { method: "POST", body, headers: ownHeaders(), signal: running.signal });
}
