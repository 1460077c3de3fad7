/** The verdict in words: a status line, and problems as buttons that lead to their positions. */

import type { EditorView } from "@codemirror/view";
import { make } from "../dom";
import { type Problem, rangeOf } from "../problems";
import { fill, pageTexts } from "../texts";
import { describe } from "./checking";

const SHOWN = 50;

export class VerdictList {
  readonly dom = make("div", { class: "editor-verdict", "data-made-by-script": "" });
  private readonly status = make("p", { class: "editor-status", role: "status", "data-made-by-script": "" });
  private readonly list = make("ul", { class: "problems" });

  constructor(private readonly view: () => EditorView | null) {
    this.dom.append(this.status, this.list);
  }

  /**
   * Show the problems after `anchor`.
   *
   * The status line goes into `bar`, which holds the form's buttons at the bottom of the window,
   * because the bar would cover it otherwise.
   */
  attach(anchor: Element, bar: Element | null): void {
    anchor.after(this.dom);
    bar?.append(this.status);
  }

  remove(): void {
    this.dom.remove();
    this.status.remove();
  }

  /** See `Heard` for the values of the validity. */
  show(validity: string | null, problems: readonly Problem[]): void {
    const { checking, checkFailed } = pageTexts();
    this.dom.toggleAttribute("aria-busy", validity === null);
    if (validity === null) {
      // Not announced, because a screen reader would interrupt the person at every pause in typing.
      this.dom.dataset["state"] = checking;
      return;
    }
    delete this.dom.dataset["state"];
    this.dom.dataset["validity"] = validity;
    this.status.textContent = validity === "unknown" ? checkFailed : summaryOf(validity, problems);
    this.list.replaceChildren(...problems.slice(0, SHOWN).map((problem) => this.entry(problem)));
  }

  private entry(problem: Problem): HTMLElement {
    const button = make("button", { type: "button", class: "button" }, describe(problem));
    button.addEventListener("click", () => this.goTo(problem));
    return make("li", { class: problem.severity }, button);
  }

  private goTo(problem: Problem): void {
    const view = this.view();
    if (view !== null) {
      view.dispatch({ selection: { anchor: rangeOf(problem, view.state.doc).from }, scrollIntoView: true });
      view.focus();
    }
  }
}

function summaryOf(validity: string, problems: readonly Problem[]): string {
  const texts = pageTexts();
  const errors = problems.filter(({ severity }) => severity === "error").length;
  if (problems.length > 0) {
    return fill(texts.problems, { errors, warnings: problems.length - errors });
  }
  return validity === "template" ? texts.template : texts.noProblems;
}
