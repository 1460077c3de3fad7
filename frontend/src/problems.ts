/** The positions of the server's problems in an editor's text. */

/**
 * A problem as the API returns it: lines and columns from 1, columns in characters, null for the
 * whole text.
 */
export interface Problem {
  readonly severity: "error" | "warning";
  readonly code: string;
  readonly message: string;
  readonly line: number | null;
  readonly column: number | null;
}

/** The part of CodeMirror's `Text` that is needed to find a position. */
export interface Lines {
  readonly lines: number;
  line(number: number): { readonly from: number; readonly to: number; readonly text: string };
}

const WORD = /^[\p{L}\p{N}_.$-]+/u;

/**
 * Return the UTF-16 offset of a column (in characters, from 1) in a line; a column beyond the line
 * is its end.
 */
export function offsetInLine(text: string, column: number): number {
  let offset = 0;
  for (let left = column - 1; left > 0 && offset < text.length; left -= 1) {
    offset += (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
  }
  return offset;
}

/**
 * Return the range to underline: the word at the problem's position, else one character, else the
 * one before.
 */
export function rangeOf(problem: Problem, lines: Lines): { from: number; to: number } {
  if (problem.line === null) {
    return { from: 0, to: 0 };
  }
  const line = lines.line(Math.min(Math.max(problem.line, 1), lines.lines));
  if (problem.column === null || problem.line > lines.lines) {
    return { from: line.from, to: line.to };
  }
  const start = offsetInLine(line.text, problem.column);
  if (start >= line.text.length) {
    return { from: Math.max(line.from, line.to - lastLength(line.text)), to: line.to };
  }
  const rest = line.text.slice(start);
  const length = WORD.exec(rest)?.[0].length ?? ((rest.codePointAt(0) ?? 0) > 0xffff ? 2 : 1);
  return { from: line.from + start, to: line.from + start + length };
}

/** Read problems from foreign JSON, and leave out invalid ones. */
export function readProblems(given: unknown): Problem[] {
  return Array.isArray(given) ? given.filter(isProblem) : [];
}

function isProblem(given: unknown): given is Problem {
  if (typeof given !== "object" || given === null) {
    return false;
  }
  const { severity, code, message, line, column } = given as Record<string, unknown>;
  return (
    (severity === "error" || severity === "warning") &&
    typeof code === "string" &&
    typeof message === "string" &&
    isPlace(line) &&
    isPlace(column)
  );
}

function isPlace(given: unknown): boolean {
  return given === null || (typeof given === "number" && Number.isInteger(given));
}

function lastLength(text: string): number {
  const last = text.charCodeAt(text.length - 1);
  const isLowSurrogate = last >= 0xdc00 && last <= 0xdfff;
  return isLowSurrogate ? 2 : Math.min(1, text.length);
}
