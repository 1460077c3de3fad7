/** The text area behind an editor: its exact text, its settings, its form and its draft. */

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
  /** The text as the server sent it. */
  private drawn: SplitText;
  /** False if the line ends of the text are unknown; then only the plain text is sent. */
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

  /** Return the text for a new editor: the server's, or the one the browser kept over a reload. */
  start(): { text: SplitText; edited: string | null } {
    const kept = this.area.value;
    // HTML turns NUL into U+FFFD, which is not an edit.
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
   * Hide the area, and show its state next to `host`, which contains the editor.
   *
   * Without a view, the text is shown as a part of another editor.
   */
  attach(view: EditorView | null, host: HTMLElement): void {
    const isFirst = !("enhanced" in this.area.dataset);
    this.view = view;
    this.area.hidden = true;
    // A style sheet with a layout for text areas would show an area that is only `hidden`.
    this.area.style.display = "none";
    // A hidden required field would block the form without a message.
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

  /** Return the current text with its line ends. */
  current(): SplitText {
    return this.view === null ? this.drawn : splitText(exactText(this.view.state), this.drawn.usual);
  }

  /** Replace the whole text and its line ends in one step that can be undone. */
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

  /** Change the text to this one; unchanged lines keep their line ends. */
  edit(plain: string): void {
    const change = this.view === null ? null : replacement(this.view.state.doc.toString(), plain);
    if (change !== null) {
      this.view?.dispatch({ changes: change });
    }
  }

  /** Show the server's new text, unless the person has changed the old one. */
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

  /** Add the exact text as JSON to what is sent, because forms turn every line end into CRLF. */
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

  /** `data-unsaved`: the server shows a text again that it did not save. */
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

  /** Save a draft of a changed text; an unchanged one deletes it, unless a draft is on offer. */
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
 * Return the exact text that the server sent, and whether it is exact.
 *
 * `data-exact` contains it as JSON. Otherwise the area's text is exact if its CRs were written as
 * `&#13;` (a parser turns bare ones into LF), or if the form's `line_end` says how all lines end.
 */
function drawnText(area: HTMLTextAreaElement): [text: SplitText, isExact: boolean] {
  const given = jsonOf(area.dataset["exact"]);
  if (typeof given === "string") {
    return [splitText(given), true];
  }
  const field = area.form?.elements.namedItem("line_end");
  const stated = field instanceof HTMLInputElement ? field.value : "";
  const text = area.defaultValue;
  const usual = lineEndOf(stated);
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
  const given = Object.entries(optional).flatMap(([key, value]) => (value ? [[key, value] as const] : []));
  const body = { name: dataset["name"] ?? "", file_type: dataset["fileType"] ?? "config", ...Object.fromEntries(given) };
  return { url, body, isDue: dataset["problems"] === undefined };
}

/** Return the state for an editor of this field. */
export function stateFor(field: TextField, text: SplitText, more: Extension = []): EditorState {
  return EditorState.create({ doc: text.plain, extensions: [field.extensions(text), more] });
}
