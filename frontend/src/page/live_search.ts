/** Searches while the person types: fetches the form's page and replaces the shown results. */

import { all, fetchPage, fieldsOf, isAbort, named, settled } from "../dom";
import { redraw } from "./redraw";

/** Milliseconds after the last key before a search starts; a new key cancels the search before. */
const PAUSE = 50;

export function searchLive(): void {
  for (const input of all<HTMLInputElement>("input[data-live-search]")) {
    const form = input.form;
    if (form !== null) {
      followInput(input, form);
    }
  }
}

function followInput(input: HTMLInputElement, form: HTMLFormElement): void {
  let running = new AbortController();
  const search = settled(PAUSE, () => {
    running.abort();
    running = new AbortController();
    void showResults(urlOf(form), input.dataset["liveSearch"] ?? "", running.signal);
  });
  input.addEventListener("input", search);
  form.addEventListener("change", (event) => event.target !== input && search());
  form.addEventListener("submit", () => search.cancel());
}

/** Return the address of a plain submission, without empty fields. */
function urlOf(form: HTMLFormElement): URL {
  const url = new URL(form.action, location.href);
  const fields = fieldsOf(form);
  url.search = new URLSearchParams([...fields].filter(([, value]) => value !== "")).toString();
  return url;
}

async function showResults(url: URL, selector: string, signal: AbortSignal): Promise<void> {
  const results = named(selector);
  results?.setAttribute("aria-busy", "true");
  try {
    const page = await fetchPage(url, { signal });
    if (page !== null) {
      history.replaceState(history.state, "", url);
      redraw(selector, page);
    }
    results?.removeAttribute("aria-busy");
  } catch (error) {
    if (!isAbort(error)) {
      results?.removeAttribute("aria-busy");
    }
  }
}
