/** Selects which submit themselves, and the theme without a new page. */

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

/** `<form id data-theme-form>` with a field or buttons named `theme`: the page changes at once, the form with the answer. */
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
    // The theme holds for this page, and is chosen anew on the next.
  }
}
