/**
 * Editor pages: each `textarea[data-editor]` and `[data-compare]` gets an editor; the textarea is
 * still what is sent.
 */

import { EditorView } from "@codemirror/view";
import { all, make, named, REDRAWN } from "./dom";
import { stateFor, TextField } from "./editor/text_field";
import { isSave } from "./keys";

const fields = new Map<HTMLTextAreaElement, TextField>();

void start();

async function start(): Promise<void> {
  const boxes = all("[data-compare]");
  const compared = new Set(boxes.flatMap(({ dataset }) => [named(dataset["left"]), named(dataset["right"])]));
  enhanceAll(compared);
  saveByKey();
  document.addEventListener(REDRAWN, () => {
    dropRemoved();
    fields.forEach((field) => field.redrawn());
    enhanceAll(compared);
  });
  if (boxes.length > 0) {
    // Only pages with a comparison load the merge view.
    const { compareIn } = await import("./editor/compare");
    boxes.flatMap((box) => compareIn(box)?.fields() ?? []).forEach((field) => fields.set(field.area, field));
  }
}

function enhanceAll(except: ReadonlySet<Element | null>): void {
  for (const area of all<HTMLTextAreaElement>("textarea[data-editor]")) {
    if (!fields.has(area) && !except.has(area)) {
      fields.set(area, enhance(area));
    }
  }
}

function enhance(area: HTMLTextAreaElement): TextField {
  const field = new TextField(area, area.readOnly || area.disabled);
  const host = make("div", { class: "editor-host", "data-made-by-script": "" });
  area.after(host);
  const { text, edited } = field.start();
  const view = new EditorView({ state: stateFor(field, text), parent: host });
  field.attach(view, host);
  if (edited !== null) {
    field.edit(edited);
  }
  return field;
}

function dropRemoved(): void {
  for (const [area, field] of fields) {
    if (!area.isConnected) {
      field.detach();
      fields.delete(area);
    }
  }
}

/**
 * Ctrl-S or Cmd-S saves from anywhere on the page: the form in use, or the only one with an editor.
 */
function saveByKey(): void {
  document.addEventListener("keydown", (event) => {
    if (!isSave(event)) {
      return;
    }
    const forms = new Set([...fields.values()].flatMap(({ area, isReadOnly }) => (isReadOnly ? [] : [area.form])));
    const inUse = (event.target as Element).closest("form");
    const form = forms.has(inUse) ? inUse : [...forms][0];
    if (form && !document.querySelector("dialog[open]")) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
}
