/** A merge whose result is drawn anew with every choice. */

import { all, fetchPage, fieldsOf, isAbort, ownHeaders, settled } from "../dom";
import { redraw } from "./redraw";

const PAUSE = 150;

/** `<form data-preview-url="URL">`: its fields are sent there, and `[data-preview]` elements redrawn from the answer. */
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
      // What is shown is not what the choices say any more; the plain submission still tells.
      all("[data-preview]").forEach((element) => element.setAttribute("aria-busy", "true"));
    }
  }
}
