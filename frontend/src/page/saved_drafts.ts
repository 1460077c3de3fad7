/** Forgetting drafts which the server has taken. */

import { all } from "../dom";
import { Drafts } from "../drafts";

const SENT = "bm-draft-sent";

/**
 * A draft counts as saved when the page behind its submission is no error and does not show the same revision again.
 *
 * A page may also name what is saved: `data-draft-clear="key"`.
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

/** Browsers which do not tell the status keep the draft; it is offered once more, and pruned in the end. */
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
    // Then there is no draft either.
  }
}
