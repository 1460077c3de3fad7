/** A text area which an editor stands for: its exact text, its settings, its form and its draft. */

import { EditorState, type Extension, Transaction } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { named, settled } from "../dom";
import { Drafts } from "../drafts";
import { joinText, lineEndOf, replacement, type SplitText, splitText } from "../exact_text";
import { indentOf } from "../indent";
import { type Problem, readProblems } from "../problems";
import { fill, jsonOf, pageTexts } from "../texts";
import { DraftOffer } from "./draft_offer";
import { checkByServer, type CheckRequest, showProblems } from "./checking";
import { exactText, keepLineEnds, withLineEnds } from "./line_ends";
import { editing } from "./setup";
import { VerdictList } from "./verdict";

const STEP_PAUSE = 200;
const DRAFT_PAUSE = 500;

const drafts = new Drafts(() => localStorage);

export class TextField {
  /** The text as the server drew it. */
  private drawn: SplitText;
  /** False where the server could not say which line ends the text has: then only the plain text is posted. */
  private isExact: boolean;
  private view: EditorView | null = null;
  private readonly verdict: VerdictList | null;
  private readonly offer: DraftOffer | null;
  private readonly keepStep = settled(STEP_PAUSE, () => this.step());
  private readonly keepDraft = settled(DRAFT_PAUSE, () => this.saveDraft());
  private readonly parting = new AbortController();

  constructor(
    readonly area: HTMLTextAreaElement,
    readonly isReadOnly: boolean,
  ) {
    [this.drawn, this.isExact] = drawnText(area);
    this.verdict = area.dataset["validateUrl"] || area.dataset["problems"] ? new VerdictList(() => this.view) : null;
    this.offer = this.draftOffer();
    this.listen();
  }

  /** What an editor for this text starts from: the drawn text, or what the browser kept in the area over a reload. */
  start(): { text: SplitText; edited: string | null } {
    const kept = this.area.value;
    // What HTML makes of NUL is no edit.
    const drawn = this.drawn.plain.replaceAll("\0", "\uFFFD");
    return { text: this.drawn, edited: kept === drawn || this.isReadOnly ? null : kept };
  }

  extensions(text: SplitText): Extension {
    const { dataset } = this.area;
    const request = checkRequest(this.area);
    return [
      editing({
        format: dataset["format"] ?? "",
        label: this.label(),
        isReadOnly: this.isReadOnly,
        indent: indentOf(text.plain),
      }),
      keepLineEnds(text),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) {
          this.keepStep();
          this.keepDraft();
        }
        if (update.focusChanged && !update.view.hasFocus) {
          this.keepStep.now();
        }
      }),
      request !== null && !this.isReadOnly
        ? checkByServer(request, (validity, problems) => this.verdict?.show(validity, problems))
        : [],
    ];
  }

  /**
   * Stand for the area: hide it, and show what is known of its text next to `host`, where the editor is.
   *
   * Without a view the text is shown as a part of another's.
   */
  attach(view: EditorView | null, host: HTMLElement): void {
    const isFirst = !("enhanced" in this.area.dataset);
    this.view = view;
    this.area.hidden = true;
    // A style sheet which lays text areas out would show a merely hidden one.
    this.area.style.display = "none";
    // A hidden field which is required would stop the form without a word.
    this.area.required = false;
    this.area.dataset["enhanced"] = "";
    if (this.verdict !== null && view !== null) {
      const drawnList = named(this.area.dataset["problemsList"]);
      drawnList?.toggleAttribute("hidden", true);
      this.verdict.attach(drawnList ?? host, this.area.form?.querySelector(".buttons.stay") ?? null);
    }
    if (this.offer !== null && isFirst) {
      host.before(this.offer.dom);
    }
    this.showDrawnProblems();
  }

  /** The text as it stands, with its line ends. */
  current(): SplitText {
    return this.view === null ? this.drawn : splitText(exactText(this.view.state), this.drawn.usual);
  }

  /** Replace the whole text by another, line ends and all, as one step that can be undone. */
  replace(text: SplitText, isUndoable = true): void {
    const { view } = this;
    if (view !== null) {
      const change = replacement(view.state.doc.toString(), text.plain);
      view.dispatch({
        ...(change === null ? {} : { changes: change }),
        effects: withLineEnds(text),
        annotations: Transaction.addToHistory.of(isUndoable),
      });
    }
  }

  /** Change the text to this one, where lines that stay keep their line ends. */
  edit(plain: string): void {
    const change = this.view === null ? null : replacement(this.view.state.doc.toString(), plain);
    if (change !== null) {
      this.view?.dispatch({ changes: change });
    }
  }

  /** The server drew the area anew: show that, unless the person has changed the text meanwhile. */
  redrawn(): void {
    const [fresh, isExact] = drawnText(this.area);
    if (joinText(fresh) !== joinText(this.drawn)) {
      const isTouched = !this.isReadOnly && joinText(this.current()) !== joinText(this.drawn);
      [this.drawn, this.isExact] = [fresh, isExact];
      if (!isTouched) {
        this.replace(fresh, false);
      }
    }
    if (this.isReadOnly) {
      this.showDrawnProblems();
    }
  }

  detach(): void {
    this.keepStep.cancel();
    this.keepDraft.cancel();
    this.parting.abort();
    this.verdict?.remove();
    this.offer?.dom.remove();
    this.view?.destroy();
  }

  private listen(): void {
    const { form } = this.area;
    const { signal } = this.parting;
    form?.addEventListener("formdata", (event) => this.fillIn(event.formData), { signal });
    form?.addEventListener("reset", () => this.replace(this.drawn), { signal });
    window.addEventListener("pagehide", () => this.saveDraft(), { signal });
    for (const label of this.area.labels ?? []) {
      label.addEventListener("click", () => this.view?.focus(), { signal });
    }
  }

  /** What is posted: the plain text, and the exact one as JSON, because a form turns every line end into CRLF. */
  private fillIn(fields: FormData): void {
    const { name, disabled } = this.area;
    if (this.view === null || this.isReadOnly || name === "" || disabled) {
      return;
    }
    this.step();
    fields.set(name, this.area.value);
    if (this.isExact) {
      fields.set("content_exact", JSON.stringify(exactText(this.view.state)));
    }
  }

  private step(): void {
    if (this.view !== null && !this.isReadOnly) {
      this.keepStep.cancel();
      this.area.value = this.view.state.doc.toString();
      this.area.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }

  /** `data-unsaved`: the server drew what somebody sent and it did not take. */
  private isUnsaved(): boolean {
    return "unsaved" in this.area.dataset;
  }

  private showDrawnProblems(): void {
    const given = this.area.dataset["problems"];
    if (given === undefined || this.view === null) {
      return;
    }
    const problems: Problem[] = readProblems(jsonOf(given));
    showProblems(this.view, problems);
    const isWrong = problems.some(({ severity }) => severity === "error");
    this.verdict?.show(this.area.dataset["validity"] ?? (isWrong ? "invalid" : "valid"), problems);
  }

  private label(): string {
    const { labels, dataset } = this.area;
    const label = labels?.[0]?.textContent?.trim() || this.area.getAttribute("aria-label");
    return label || fill(pageTexts().editorLabel, { name: dataset["name"] ?? "" });
  }

  private draftOffer(): DraftOffer | null {
    const key = this.area.dataset["draftKey"];
    const found = key && !this.isReadOnly ? drafts.find(key) : null;
    if (!found) {
      return null;
    }
    if (found.draft.text === joinText(this.drawn)) {
      if (!this.isUnsaved()) {
        drafts.forget(found.key);
      }
      return null;
    }
    return new DraftOffer(found.draft, found.key === key, {
      restore: () => {
        this.replace(splitText(found.draft.text));
        this.view?.focus();
      },
      discard: () => {
        drafts.forget(found.key);
        this.view?.focus();
      },
    });
  }

  /** A text that equals the drawn one needs no draft; one that nobody has touched must not end an offered one. */
  private saveDraft(): void {
    const key = this.area.dataset["draftKey"];
    if (!key || this.view === null || this.isReadOnly) {
      return;
    }
    this.keepDraft.cancel();
    const text = exactText(this.view.state);
    if (text !== joinText(this.drawn) || this.isUnsaved()) {
      drafts.keep(key, text);
    } else if (this.offer === null || !this.offer.dom.isConnected) {
      drafts.forget(key);
    }
  }
}

/**
 * The exact text which the server drew, and whether it is exact.
 *
 * `data-exact` has it as JSON. Else the area's own text has it, if its CRs were written as `&#13;` (a parser turns
 * bare ones into LF); else the form's `line_end` says how all lines end.
 */
function drawnText(area: HTMLTextAreaElement): [text: SplitText, isExact: boolean] {
  const given = jsonOf(area.dataset["exact"]);
  if (typeof given === "string") {
    return [splitText(given), true];
  }
  const field = area.form?.elements.namedItem("line_end");
  const told = field instanceof HTMLInputElement ? field.value : "";
  const text = area.defaultValue;
  const usual = lineEndOf(told);
  if (text.includes("\r")) {
    return [splitText(text), true];
  }
  return [{ plain: text, usual: usual ?? "\n", others: [] }, usual !== null];
}

function checkRequest({ dataset }: HTMLTextAreaElement): CheckRequest | null {
  const url = dataset["validateUrl"];
  if (!url) {
    return null;
  }
  const optional = { project_id: dataset["projectId"], path: dataset["path"] };
  const told = Object.entries(optional).flatMap(([key, value]) => (value ? [[key, value] as const] : []));
  const body = { name: dataset["name"] ?? "", file_type: dataset["fileType"] ?? "config", ...Object.fromEntries(told) };
  return { url, body, isDue: dataset["problems"] === undefined };
}

/** The state for an editor of this field. */
export function stateFor(field: TextField, text: SplitText, more: Extension = []): EditorState {
  return EditorState.create({ doc: text.plain, extensions: [field.extensions(text), more] });
}
