/** Submits selects when they change, and switches the theme without loading a page. */

import { fetchPage, fieldsOf, ownHeaders } from "../dom";
import { morph } from "./morph";

export function submitOnChange(): void {
  document.addEventListener("change", (event) => {
    const field = event.target as HTMLSelectElement | HTMLInputElement;
    if (field.matches("[data-autosubmit]")) {
      field.form?.requestSubmit();
    }
  });
}

/** Set up `<form id data-theme-form>`: the page changes as soon as the choice is stored. */
export function switchTheme(): void {
  let last = Promise.resolve();
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (form.matches("[data-theme-form]")) {
      event.preventDefault();
      // A second click takes the theme after the first one's, which the fresh form names.
      last = last.then(() => setTheme(form));
    }
  });
}

async function setTheme(form: HTMLFormElement): Promise<void> {
  const body = fieldsOf(form);
  try {
    // A page that showed the theme earlier could be left before it is stored.
    await fetch(form.action, { method: "POST", body, headers: ownHeaders(), redirect: "manual", keepalive: true });
  } catch {
    // The service is out of reach: the theme applies to this page only.
  }
  document.documentElement.dataset["theme"] = body.get("theme") ?? "auto";
  const page = await fetchPage(body.get("next") ?? location.href).catch(() => null);
  const fresh = page?.getElementById(form.id);
  if (fresh) {
    morph(form, fresh);
  }
}
