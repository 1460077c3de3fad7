/** Sends a form only once, and only if the service can be reached. */

import { isTimeout, make } from "../dom";
import { pageTexts } from "../texts";

/**
 * Milliseconds. A server that has not answered by then is slow, and the browser may wait for it.
 */
const TIMEOUT = 5_000;
/** Milliseconds after which a form may be sent again in any case. */
const FORGOTTEN = 30_000;

/** Forms that are being sent, with the button that sent them. */
const sending = new Map<HTMLFormElement, HTMLElement | null>();
const reached = new WeakSet<HTMLFormElement>();

export function sendOnce(): void {
  // In the capture phase, because all other steps of a submission wait for this.
  document.addEventListener("submit", (event) => holdSubmit(event), true);
  // After all other listeners, which may have cancelled the submission.
  window.addEventListener("submit", (event) => event.defaultPrevented || begin(event.target as HTMLFormElement, event.submitter));
  // A page restored from the browser's cache is sending nothing.
  window.addEventListener("pageshow", () => [...sending.keys()].forEach(end));
}

/** Return whether a form is being sent, so that the page may be left at any moment. */
export function isSending(): boolean {
  return sending.size > 0;
}

function holdSubmit(event: SubmitEvent): void {
  const form = event.target as HTMLFormElement;
  const isGuarded = form.matches("[data-guard]");
  if (sending.has(form) || (isGuarded && !reached.delete(form))) {
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!sending.has(form)) {
      void sendIfAnswered(form, event.submitter);
    }
  }
}

/** Keep the page if the service cannot be reached: the browser would leave it and lose the text. */
async function sendIfAnswered(form: HTMLFormElement, submitter: HTMLElement | null): Promise<void> {
  form.querySelector("[data-not-reached]")?.remove();
  begin(form, submitter);
  const isAnswered = await isServiceThere();
  end(form);
  if (isAnswered) {
    reached.add(form);
    form.requestSubmit(submitter);
  } else {
    showNotReached(form);
  }
}

async function isServiceThere(): Promise<boolean> {
  const icon = document.querySelector<HTMLLinkElement>("link[rel='icon']");
  try {
    return icon === null || (await fetch(icon.href, { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT) })).ok;
  } catch (error) {
    return isTimeout(error);
  }
}

function showNotReached(form: HTMLFormElement): void {
  const text = make("p", {}, pageTexts().notReached);
  const banner = make("div", { class: "banner bad", role: "alert", "data-not-reached": "", "data-made-by-script": "" }, text);
  const buttons = form.querySelector(".buttons");
  buttons === null ? form.append(banner) : buttons.before(banner);
}

function begin(form: HTMLFormElement, submitter: HTMLElement | null): void {
  if (form.method === "post") {
    sending.set(form, submitter);
    submitter?.setAttribute("aria-disabled", "true");
    setTimeout(() => end(form), FORGOTTEN);
  }
}

function end(form: HTMLFormElement): void {
  sending.get(form)?.removeAttribute("aria-disabled");
  sending.delete(form);
}
