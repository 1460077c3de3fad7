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

/** Set up `<form id data-theme-form>`: the page changes at once, the form after the response. */
export function switchTheme(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (form.matches("[data-theme-form]")) {
      event.preventDefault();
      void setTheme(form, event.submitter);
    }
  });
}

async function setTheme(form: HTMLFormElement, submitter: HTMLElement | null): Promise<void> {
  const fields = fieldsOf(form);
  if (submitter instanceof HTMLButtonElement && submitter.name !== "") {
    fields.set(submitter.name, submitter.value);
  }
  document.documentElement.dataset["theme"] = fields.get("theme") ?? "auto";
  try {
    const page = await fetchPage(form.action, { method: "POST", body: fields, headers: ownHeaders() });
    const fresh = page?.getElementById(form.id);
    if (fresh) {
      morph(form, fresh);
    }
  } catch {
    // The theme applies to this page only; the next page has the stored one.
  }
}
