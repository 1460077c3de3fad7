/** Forms are sent once, and what somebody typed only where somebody answers. */

import { isTimeout, make } from "../dom";
import { pageTexts } from "../texts";

/** Milliseconds. A server which has not answered by then is slow, and the browser may wait for it. */
const PATIENCE = 5_000;
/** Milliseconds, after which a form may be sent again whatever became of it. */
const FORGOTTEN = 30_000;

/** Forms on their way, with the button that sent them. */
const sending = new Map<HTMLFormElement, HTMLElement | null>();
const reached = new WeakSet<HTMLFormElement>();

export function sendOnce(): void {
  // In the capture phase: whatever else a submission would do waits for this.
  document.addEventListener("submit", (event) => holdSubmit(event), true);
  // Behind every other listener, which may have stopped the submission.
  window.addEventListener("submit", (event) => event.defaultPrevented || begin(event.target as HTMLFormElement, event.submitter));
  // A page which is shown again from memory has nothing on its way.
  window.addEventListener("pageshow", () => [...sending.keys()].forEach(end));
}

/** Whether a form is on its way, and the page may be left at any moment. */
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

/** A browser which reaches nobody would leave the page, and what was typed with it. */
async function sendIfAnswered(form: HTMLFormElement, submitter: HTMLElement | null): Promise<void> {
  form.querySelector("[data-not-reached]")?.remove();
  begin(form, submitter);
  const isAnswered = await isServiceThere();
  end(form);
  if (isAnswered) {
    reached.add(form);
    form.requestSubmit(submitter);
  } else {
    tell(form);
  }
}

async function isServiceThere(): Promise<boolean> {
  const icon = document.querySelector<HTMLLinkElement>("link[rel='icon']");
  try {
    return icon === null || (await fetch(icon.href, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) })).ok;
  } catch (error) {
    return isTimeout(error);
  }
}

function tell(form: HTMLFormElement): void {
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
