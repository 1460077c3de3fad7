/** Two texts side by side, or in one column. */

import { getChunks, goToNextChunk, goToPreviousChunk, MergeView, unifiedMergeView } from "@codemirror/merge";
import type { Extension } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { all, make, named } from "../dom";
import { joinText, type SplitText } from "../exact_text";
import { fill, pageTexts } from "../texts";
import { stateFor, TextField } from "./text_field";

type Mode = "split" | "unified";

/** Below this width, two columns are too narrow to read. */
const TWO_COLUMNS = "(min-width: 48rem)";

/** Prefer speed over the smallest difference; the server's own diff is the exact one. */
const DIFFING = { scanLimit: 2000, timeout: 500 };

/**
 * Set up `<div data-compare data-mode data-left data-right [data-right-editable]>`; null if a side
 * is missing.
 */
export function compareIn(box: HTMLElement): Comparison | null {
  const { left, right } = box.dataset;
  const areas = [named<HTMLTextAreaElement>(left), named<HTMLTextAreaElement>(right)];
  const [one, other] = areas;
  return one && other ? new Comparison(box, one, other) : null;
}

export class Comparison {
  private readonly left: TextField;
  private readonly right: TextField;
  private readonly host = make("div", { class: "editor-host", "data-made-by-script": "" });
  private readonly count = make("span", { role: "status" });
  private readonly isEditable: boolean;
  private shown: MergeView | EditorView | null = null;

  constructor(
    private readonly box: HTMLElement,
    left: HTMLTextAreaElement,
    right: HTMLTextAreaElement,
  ) {
    this.isEditable = "rightEditable" in box.dataset && !right.readOnly;
    this.left = new TextField(left, true);
    this.right = new TextField(right, !this.isEditable);
    // The server's comparison, for readers without scripts.
    for (const child of box.children) {
      child.toggleAttribute("hidden", !child.matches("[data-compare-keep]") && !child.contains(left) && !child.contains(right));
    }
    box.append(this.bar(), this.host);
    this.host.style.setProperty("--editor-max-height", "none");
    const { text, edited } = this.right.start();
    this.show(this.startMode(), text);
    if (edited !== null) {
      this.right.edit(edited);
    }
    this.offerModes();
  }

  fields(): TextField[] {
    return [this.left, this.right];
  }

  private startMode(): Mode {
    return this.box.dataset["mode"] === "unified" || !matchMedia(TWO_COLUMNS).matches ? "unified" : "split";
  }

  private show(mode: Mode, rightText: SplitText): void {
    this.shown?.destroy();
    const leftText = this.left.current();
    this.shown = mode === "split" ? this.split(leftText, rightText) : this.unified(leftText, rightText);
    this.box.dataset["mode"] = mode;
    this.showCount(leftText, rightText);
  }

  private split(leftText: SplitText, rightText: SplitText): MergeView {
    const merge = new MergeView({
      a: { doc: leftText.plain, extensions: [this.left.extensions(leftText), this.keys()] },
      b: { doc: rightText.plain, extensions: [this.right.extensions(rightText), this.keys(), this.counting()] },
      parent: this.host,
      diffConfig: DIFFING,
      ...(this.isEditable ? { revertControls: "a-to-b" as const } : {}),
    });
    merge.dom.style.maxHeight = "75vh";
    this.left.attach(merge.a, this.host);
    this.right.attach(merge.b, this.host);
    return merge;
  }

  private unified(leftText: SplitText, rightText: SplitText): EditorView {
    const inColumn = unifiedMergeView({ original: leftText.plain, mergeControls: false, diffConfig: DIFFING });
    const state = stateFor(this.right, rightText, [inColumn, this.keys(), this.counting()]);
    const view = new EditorView({ state, parent: this.host });
    this.left.attach(null, this.host);
    this.right.attach(view, this.host);
    return view;
  }

  private keys(): Extension {
    return keymap.of([{ key: "F7", run: goToNextChunk, shift: goToPreviousChunk }]);
  }

  private counting(): Extension {
    return EditorView.updateListener.of((update) => {
      if (update.docChanged) {
        this.showCount(this.left.current(), this.right.current());
      }
    });
  }

  private showCount(left: SplitText, right: SplitText): void {
    const texts = pageTexts();
    const count = getChunks(this.rightView().state)?.chunks.length ?? 0;
    const isSamePlain = left.plain === right.plain;
    const differsInEnds = isSamePlain && joinText(left) !== joinText(right);
    this.count.textContent = differsInEnds ? texts.lineEndsOnly : fill(texts.changes, { count });
  }

  private bar(): HTMLElement {
    const texts = pageTexts();
    const step = (label: string, go: typeof goToNextChunk): HTMLElement => {
      const button = make("button", { type: "button", class: "button" }, label);
      button.addEventListener("click", () => {
        const view = this.rightView();
        go(view);
        view.focus();
      });
      return button;
    };
    const buttons = [step(texts.previousChange, goToPreviousChunk), step(texts.nextChange, goToNextChunk)];
    return make("div", { class: "compare-bar", "data-made-by-script": "" }, this.count, ...buttons);
  }

  /** Buttons with `data-compare-set="split|unified"` change the view and keep what was typed. */
  private offerModes(): void {
    const buttons = all<HTMLButtonElement>("button[data-compare-set]");
    const showMode = (): void =>
      buttons.forEach((button) =>
        button.setAttribute("aria-pressed", String(button.dataset["compareSet"] === this.box.dataset["mode"])),
      );
    for (const button of buttons) {
      button.addEventListener("click", () => {
        this.show(button.dataset["compareSet"] === "unified" ? "unified" : "split", this.right.current());
        showMode();
      });
    }
    showMode();
  }

  private rightView(): EditorView {
    const { shown } = this;
    if (shown === null) {
      throw new Error("nothing is shown yet");
    }
    return shown instanceof MergeView ? shown.b : shown;
  }
}
