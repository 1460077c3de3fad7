/** Asks before an action: `data-confirm="question"` on a form, a button or a link. */

import { make } from "../dom";
import { pageTexts } from "../texts";

const agreed = new WeakSet<Element>();

export function confirmFirst(): void {
  // In the capture phase, before other listeners react to the click or submission.
  document.addEventListener("click", (event) => holdClick(event), true);
  document.addEventListener("submit", (event) => holdSubmit(event), true);
}

function holdClick(event: MouseEvent): void {
  const element = (event.target as Element).closest<HTMLElement>("a[data-confirm], button[data-confirm]");
  if (element !== null && !agreed.delete(element)) {
    hold(event);
    void ask(element.dataset["confirm"] ?? "", element.textContent).then((isSure) => {
      if (isSure) {
        agreed.add(element);
        element.click();
      }
    });
  }
}

function holdSubmit(event: SubmitEvent): void {
  const form = event.target as HTMLFormElement;
  const question = form.dataset["confirm"];
  if (question === undefined || agreed.delete(form)) {
    return;
  }
  hold(event);
  const { submitter } = event;
  void ask(question, submitter?.textContent).then((isSure) => {
    if (isSure) {
      agreed.add(form);
      form.requestSubmit(submitter);
    }
  });
}

function hold(event: Event): void {
  event.preventDefault();
  event.stopImmediatePropagation();
}

/** Ask a question in a dialog, whose button has the label of the pressed one. */
function ask(question: string, action: string | null | undefined): Promise<boolean> {
  const texts = pageTexts();
  const text = make("p", { id: "confirm-question" }, question);
  const no = make("button", { value: "no", class: "button" }, texts.cancel);
  const yes = make("button", { value: "yes", class: "button danger" }, action?.trim() || texts.confirm);
  const form = make("form", { method: "dialog" }, text, make("div", { class: "buttons" }, no, yes));
  const dialog = make(
    "dialog",
    { class: "dialog", "aria-labelledby": text.id, role: "alertdialog", "data-made-by-script": "" },
    form,
  );
  document.body.append(dialog);
  dialog.showModal();
  no.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}
