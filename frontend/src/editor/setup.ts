/** The extensions that all editors share. */

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
 * Return the extensions that do not depend on a text.
 *
 * Tab is not bound, so it moves the focus as everywhere; Ctrl-] and Ctrl-[ indent blocks. Brackets
 * and quotes are not closed automatically: what is typed is what is saved.
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
    // Editable content can be focused anyway; this announces it to assistive technology.
    EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0", ...(isReadOnly ? { "aria-readonly": "true" } : {}) }),
    appearance,
  ];
}

/** The nonce with which the browser accepts the editor's style elements. */
function nonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
}
