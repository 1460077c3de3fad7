/** Deletes drafts that the server has saved. */

import { all } from "../dom";
import { Drafts } from "../drafts";

const SENT = "bm-draft-sent";

/**
 * Delete the draft of the last submission if it was saved.
 *
 * It was saved if the page after the submission is not an error and does not show the same
 * revision. A page may also name a saved draft: `data-draft-clear="key"`.
 */
export function forgetSavedDrafts(): void {
  const drafts = new Drafts(() => localStorage);
  all("[data-draft-clear]").forEach(({ dataset }) => drafts.forget(dataset["draftClear"] ?? ""));
  const sent = takeSent();
  const isShownAgain = all("[data-draft-key]").some(({ dataset }) => dataset["draftKey"] === sent);
  if (sent !== null && !isShownAgain && wasAnswered()) {
    drafts.forget(sent);
  }
  drafts.prune();
  window.addEventListener("submit", (event) => event.defaultPrevented || noteSent(event.target as HTMLFormElement));
}

/** Return whether the page is a success; without a reported status, the draft is kept. */
function wasAnswered(): boolean {
  const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  const status = navigation?.responseStatus ?? 0;
  return status >= 200 && status < 400;
}

function takeSent(): string | null {
  try {
    const sent = sessionStorage.getItem(SENT);
    sessionStorage.removeItem(SENT);
    return sent;
  } catch {
    return null;
  }
}

function noteSent(form: HTMLFormElement): void {
  const key = form.querySelector<HTMLElement>("textarea[data-draft-key]")?.dataset["draftKey"];
  try {
    if (key !== undefined) {
      sessionStorage.setItem(SENT, key);
    }
  } catch {
    // Without storage there is no draft.
  }
}
