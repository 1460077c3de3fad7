/**
 * The editor's theme: the page's custom properties, with defaults if a page sets none.
 *
 * The defaults follow `color-scheme`, which the page's style sheet sets from the system or from
 * <html data-theme>. No rule may load an image, because the Content-Security-Policy does not allow
 * `data:` in styles; so the wavy lines of problems are text decorations.
 */

import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

/**
 * Return a custom property with a default for light and dark pages, with a contrast of at least
 * 4.5.
 */
const colour = (name: string, light: string, dark: string): string => `var(--${name}, light-dark(${light}, ${dark}))`;

const TEXT = colour("text", "#1f2328", "#e6edf3");
const GROUND = colour("ground", "#ffffff", "#0d1117");
const GUTTER = colour("raised", "#f6f8fa", "#161b22");
const FAINT = colour("quiet", "#59636e", "#9198a1");
const LINE = colour("line", "#d1d9e0", "#3d444d");
const FOCUS = colour("focus", "#0550ae", "#79c0ff");
const ERROR = colour("bad", "#b3121d", "#ff8a84");
const WARNING = colour("warn", "#7a4d00", "#e3b341");
const ADDED = colour("good-ground", "#dafbe1", "#12351f");
const REMOVED = colour("bad-ground", "#ffebe9", "#3c1618");
const SELECTION = colour("editor-selection", "#b6d9ff", "#1f4b7d");
const MATCH = colour("editor-match", "#fff1b8", "#5c4a00");
const ADDED_TEXT = colour("editor-added", "#8fe3a4", "#1f6f3a");
const REMOVED_TEXT = colour("editor-removed", "#ffb8b3", "#8a2a2c");

const underlined = (severity: string): Record<string, string> => ({
  backgroundImage: "none",
  textDecoration: `underline wavy ${severity} 1px`,
  textDecorationSkipInk: "none",
});

const changed = (ground: string): Record<string, string> => ({ background: ground, borderRadius: "2px" });

const theme = EditorView.theme({
  "&": { color: TEXT, backgroundColor: GROUND, border: `1px solid ${LINE}`, borderRadius: "var(--radius, 6px)" },
  "&.cm-focused": { outline: `2px solid ${FOCUS}`, outlineOffset: "1px" },
  ".cm-scroller": {
    fontFamily: "var(--mono, ui-monospace, SFMono-Regular, Menlo, Consolas, monospace)",
    fontSize: "var(--size, 0.875rem)",
    lineHeight: "1.5",
    maxHeight: "var(--editor-max-height, 75vh)",
    overflow: "auto",
  },
  ".cm-content, .cm-gutter": { minHeight: "var(--editor-min-height, 4.5rem)" },
  ".cm-content": { caretColor: TEXT },
  "&.cm-focused > .cm-scroller > .cm-cursorLayer .cm-cursor": { borderLeftColor: TEXT, borderLeftWidth: "2px" },
  "& > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": { background: SELECTION },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": { background: SELECTION },
  ".cm-content ::selection": { backgroundColor: `${SELECTION} !important` },
  ".cm-gutters": { color: FAINT, backgroundColor: GUTTER, borderRight: `1px solid ${LINE}` },
  ".cm-activeLine": { backgroundColor: "transparent", boxShadow: `inset 0 1px ${LINE}, inset 0 -1px ${LINE}` },
  ".cm-activeLineGutter": { color: TEXT, backgroundColor: "transparent", fontWeight: "bold" },
  ".cm-foldPlaceholder": { color: FAINT, backgroundColor: GUTTER, borderColor: LINE },
  ".cm-selectionMatch, .cm-searchMatch": { backgroundColor: MATCH },
  ".cm-searchMatch-selected": { backgroundColor: MATCH, outline: `2px solid ${FOCUS}` },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: MATCH },
  ".cm-specialChar": { color: ERROR },
  ".cm-problem-gutter": { minWidth: "1.6em" },
  ".cm-problem-marker": { display: "block", textAlign: "center", fontWeight: "bold", color: GROUND, borderRadius: "2px" },
  ".cm-problem-marker-error": { backgroundColor: ERROR },
  ".cm-problem-marker-warning": { backgroundColor: WARNING },
  ".cm-lintRange-error": underlined(ERROR),
  ".cm-lintRange-warning": underlined(WARNING),
  ".cm-lintRange-active": { backgroundColor: MATCH },
  ".cm-diagnostic-error": { borderLeftColor: ERROR },
  ".cm-diagnostic-warning": { borderLeftColor: WARNING },
  ".cm-tooltip, .cm-panels": { color: TEXT, backgroundColor: GUTTER, border: `1px solid ${LINE}` },
  ".cm-panels": { zIndex: "2" },
  ".cm-panel.cm-search": { padding: "0.5rem 2rem 0.5rem 0.5rem" },
  ".cm-textfield": { width: "14rem", maxWidth: "100%", color: TEXT, backgroundColor: GROUND, border: `1px solid ${FAINT}`, font: "inherit" },
  ".cm-button": { color: TEXT, background: GROUND, border: `1px solid ${FAINT}`, font: "inherit" },
  ".cm-panel button[name='close']": { color: TEXT, minWidth: "24px", minHeight: "24px" },
  ".cm-textfield:focus-visible, .cm-panel button:focus-visible": { outline: `2px solid ${FOCUS}` },
  ".cm-panel.cm-panel-lint ul [aria-selected]": { color: TEXT, backgroundColor: MATCH },
  ".cm-changedLine, .cm-insertedLine": { backgroundColor: `${ADDED} !important` },
  ".cm-deletedChunk, &.cm-merge-a .cm-changedLine": { backgroundColor: `${REMOVED} !important` },
  ".cm-changedText": changed(ADDED_TEXT),
  "&.cm-merge-a .cm-changedText, .cm-deletedChunk .cm-deletedText": changed(REMOVED_TEXT),
  ".cm-changedLineGutter": { background: ADDED_TEXT },
  "&.cm-merge-a .cm-changedLineGutter, .cm-deletedLineGutter": { background: REMOVED_TEXT },
  ".cm-collapsedLines": { color: FAINT, background: GUTTER, padding: "0.25rem 0.5rem" },
});

const highlighting = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: colour("editor-key", "#0550ae", "#79c0ff") },
  { tag: [tags.string, tags.special(tags.string), tags.content], color: TEXT },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: colour("editor-value", "#8a3707", "#ffa657") },
  { tag: [tags.comment, tags.lineComment], color: FAINT, fontStyle: "italic" },
  { tag: [tags.typeName, tags.labelName, tags.meta], color: colour("editor-meta", "#6639ba", "#d2a8ff") },
  { tag: [tags.separator, tags.punctuation, tags.brace, tags.squareBracket], color: FAINT },
  { tag: tags.invalid, color: ERROR },
]);

export const appearance: Extension = [theme, syntaxHighlighting(highlighting)];
