/** The offer to restore an unsaved draft. */

import { make } from "../dom";
import type { Draft } from "../drafts";
import { fill, language, pageTexts } from "../texts";

export interface OfferActions {
  restore(): void;
  discard(): void;
}

export class DraftOffer {
  readonly dom: HTMLElement;

  constructor(draft: Draft, isOfThisRevision: boolean, actions: OfferActions) {
    const texts = pageTexts();
    const time = new Intl.DateTimeFormat(language(), { dateStyle: "medium", timeStyle: "short" }).format(draft.savedAt);
    const text = fill(isOfThisRevision ? texts.draftFound : texts.draftOfOther, { time });
    this.dom = make(
      "div",
      { class: "banner warn draft-offer", role: "status", "data-made-by-script": "" },
      make("p", {}, text),
      this.button(texts.restore, actions.restore),
      this.button(texts.discard, actions.discard),
    );
  }

  private button(label: string, action: () => void): HTMLElement {
    const button = make("button", { type: "button", class: "button" }, label);
    button.addEventListener("click", () => {
      this.dom.remove();
      action();
    });
    return button;
  }
}
