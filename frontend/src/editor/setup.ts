/** What every editor of ours can do. */

import { json } from "@codemirror/lang-json";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, foldKeymap, indentUnit } from "@codemirror/language";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { minimalSetup } from "codemirror";
import { pageTexts } from "../texts";
import { appearance } from "./appearance";
import { problemMarks } from "./checking";

export interface EditorSettings {
  readonly format: string;
  readonly label: string;
  readonly isReadOnly: boolean;
  /** One level of indentation, in spaces. */
  readonly indent: string;
}

/**
 * Extensions without any of one text's own.
 *
 * Tab is bound to nothing, so it moves on as everywhere; blocks are indented with Ctrl-] and Ctrl-[. Neither brackets
 * nor quotes close themselves: what is typed is what is saved.
 */
export function editing({ format, label, isReadOnly, indent }: EditorSettings): Extension {
  return [
    minimalSetup,
    problemMarks(),
    lineNumbers(),
    foldGutter(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    highlightSelectionMatches(),
    bracketMatching(),
    search({ top: true }),
    keymap.of([...searchKeymap, ...foldKeymap]),
    format === "json" ? json() : yaml(),
    indentUnit.of(indent),
    EditorState.readOnly.of(isReadOnly),
    EditorState.phrases.of(pageTexts()),
    EditorView.cspNonce.of(nonce()),
    // Editable content takes the focus anyhow; assistive technology is told so.
    EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0", ...(isReadOnly ? { "aria-readonly": "true" } : {}) }),
    appearance,
  ];
}

/** With it the browser takes the editor's style elements. */
function nonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
}
