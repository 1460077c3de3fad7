/** Selects which submit themselves, and the theme without a new page. */

import { fieldsOf, ownHeaders } from "../dom";

export function submitOnChange(): void {
  document.addEventListener("change", (event) => {
    const field = event.target as HTMLSelectElement | HTMLInputElement;
    if (field.matches("[data-autosubmit]")) {
      field.form?.requestSubmit();
    }
  });
}

/** `<form data-theme-form>` with a field or buttons named `theme`: the page changes at once, the server is told behind it. */
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
  for (const button of form.querySelectorAll<HTMLButtonElement>("button[name='theme'][aria-pressed]")) {
    button.setAttribute("aria-pressed", String(button === submitter));
  }
  try {
    // Its answer leads back to this page, which needs not be drawn again.
    await fetch(form.action, { method: "POST", body: fields, headers: ownHeaders(), redirect: "manual" });
  } catch {
    // The theme holds for this page, and is chosen anew on the next.
  }
}
