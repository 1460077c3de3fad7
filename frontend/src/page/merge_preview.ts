/** Updates the result of a merge with every choice. */

import { all, fetchPage, fieldsOf, isAbort, ownHeaders, settled } from "../dom";
import { redraw } from "./redraw";

const PAUSE = 150;

/**
 * Set up `<form data-preview-url="URL">`: its fields are sent to the URL, and `[data-preview]`
 * elements are updated from the response.
 */
export function previewMerges(): void {
  for (const form of all<HTMLFormElement>("form[data-preview-url]")) {
    let running = new AbortController();
    const preview = settled(PAUSE, () => {
      running.abort();
      running = new AbortController();
      void showPreview(form, running.signal);
    });
    form.addEventListener("change", preview);
    form.addEventListener("submit", () => preview.cancel());
  }
}

async function showPreview(form: HTMLFormElement, signal: AbortSignal): Promise<void> {
  const request = { method: "POST", body: fieldsOf(form), headers: ownHeaders(), signal };
  try {
    const page = await fetchPage(form.dataset["previewUrl"] ?? "", request);
    if (page !== null) {
      redraw("[data-preview]", page);
    }
  } catch (error) {
    if (!isAbort(error)) {
      // The shown result is out of date now; a plain submission still works.
      all("[data-preview]").forEach((element) => element.setAttribute("aria-busy", "true"));
    }
  }
}
