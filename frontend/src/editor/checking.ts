/**
 * The server's verdict on a text, in the gutter while the person types. Only the server validates.
 */

import { type Diagnostic, forEachDiagnostic, lintKeymap, setDiagnostics, setDiagnosticsEffect } from "@codemirror/lint";
import { type EditorState, type Extension, RangeSetBuilder } from "@codemirror/state";
import { EditorView, gutter, GutterMarker, keymap, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import { isAbort, ownHeaders } from "../dom";
import { type Problem, rangeOf, readProblems } from "../problems";
import { fill, pageTexts } from "../texts";
import { exactText } from "./line_ends";

const PAUSE = 300;

/** The fields of `POST /validate`, without the content. */
export interface CheckRequest {
  readonly url: string;
  readonly body: Readonly<Record<string, string>>;
  /** Whether the first text is checked, too. */
  readonly isDue: boolean;
}

/** `validity` is null while the request is running, and "unknown" if it failed. */
export type Heard = (validity: string | null, problems: readonly Problem[]) => void;

/** Check the text 300 ms after the last change; responses for older texts are dropped. */
export function checkByServer(request: CheckRequest, heard: Heard): Extension {
  return ViewPlugin.define((view) => new Checker(view, request, heard));
}

/** The gutter with a mark per line, the underlined ranges, and F8 to go to the next one. */
export function problemMarks(): Extension {
  return [problemGutter(), keymap.of(lintKeymap)];
}

/** Show these problems. Must not be called during an update. */
export function showProblems(view: EditorView, problems: readonly Problem[]): void {
  view.dispatch(setDiagnostics(view.state, problems.map((problem) => diagnosticOf(problem, view.state))));
}

/** Return a problem as one readable line. */
export function describe(problem: Problem): string {
  const texts = pageTexts();
  const severity = texts[problem.severity];
  const { line, message } = problem;
  return line === null
    ? fill(texts.problemAnywhere, { severity, message })
    : fill(texts.problem, { severity, line, message });
}

class Checker {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running = new AbortController();

  constructor(
    private readonly view: EditorView,
    private readonly request: CheckRequest,
    private readonly heard: Heard,
  ) {
    if (request.isDue) {
      this.checkSoon();
    }
  }

  update(update: ViewUpdate): void {
    if (update.docChanged) {
      this.checkSoon();
    }
  }

  destroy(): void {
    clearTimeout(this.timer);
    this.running.abort();
  }

  private checkSoon(): void {
    clearTimeout(this.timer);
    this.running.abort();
    this.timer = setTimeout(() => void this.check(), PAUSE);
  }

  private async check(): Promise<void> {
    this.running = new AbortController();
    this.heard(null, []);
    try {
      const verdict = await askServer(this.request, exactText(this.view.state), this.running.signal);
      const problems = readProblems(verdict.problems);
      showProblems(this.view, problems);
      this.heard(String(verdict.validity), problems);
    } catch (error) {
      if (!isAbort(error)) {
        this.heard("unknown", []);
      }
    }
  }
}

async function askServer(
  { url, body }: CheckRequest,
  content: string,
  signal: AbortSignal,
): Promise<{ validity: unknown; problems: unknown }> {
  const answer = await fetch(url, {
    method: "POST",
    credentials: "same-origin",
    headers: ownHeaders({ "Content-Type": "application/json", Accept: "application/json" }),
    body: JSON.stringify({ ...body, content }),
    signal,
  });
  if (!answer.ok) {
    throw new Error(`The check answered ${answer.status}`);
  }
  const verdict = (await answer.json()) as { validity: unknown; problems: unknown };
  // A response that arrived just before it was aborted is out of date, too.
  signal.throwIfAborted();
  return verdict;
}

function diagnosticOf(problem: Problem, state: EditorState): Diagnostic {
  return { ...rangeOf(problem, state.doc), severity: problem.severity, message: problem.message, source: problem.code };
}

class ProblemMarker extends GutterMarker {
  constructor(
    private readonly severity: Problem["severity"],
    private readonly messages: readonly string[],
  ) {
    super();
  }

  override eq(other: ProblemMarker): boolean {
    return other.severity === this.severity && other.messages.join("\n") === this.messages.join("\n");
  }

  override toDOM(): HTMLElement {
    const marker = document.createElement("span");
    const severity = pageTexts()[this.severity];
    marker.className = `cm-problem-marker cm-problem-marker-${this.severity}`;
    marker.textContent = this.severity === "error" ? "E" : "W";
    marker.title = `${severity}: ${this.messages.join("\n")}`;
    return marker;
  }
}

function problemGutter(): Extension {
  return gutter({
    class: "cm-problem-gutter",
    markers: (view) => markersOf(view.state),
    lineMarkerChange: ({ transactions }) =>
      transactions.some(({ effects }) => effects.some((effect) => effect.is(setDiagnosticsEffect))),
    initialSpacer: () => new ProblemMarker("warning", []),
  });
}

function markersOf(state: EditorState): ReturnType<RangeSetBuilder<GutterMarker>["finish"]> {
  const byLine = new Map<number, { severity: Problem["severity"]; messages: string[] }>();
  forEachDiagnostic(state, ({ severity, message }, from) => {
    const { from: start } = state.doc.lineAt(from);
    const found = byLine.get(start) ?? { severity: "warning", messages: [] };
    found.messages.push(message);
    byLine.set(start, severity === "error" ? { ...found, severity } : found);
  });
  const builder = new RangeSetBuilder<GutterMarker>();
  for (const [start, { severity, messages }] of [...byLine].sort(([one], [other]) => one - other)) {
    builder.add(start, start, new ProblemMarker(severity, messages));
  }
  return builder.finish();
}
