/**
 * Texts with exact line ends, although editors and HTML forms support only one kind.
 *
 * A line ends at LF, CRLF or CR, as on the server and in CodeMirror.
 */

export type LineEnd = "\n" | "\r\n" | "\r";

/** A line break at offset `at` of the plain text that differs from the usual one. */
export interface OtherEnd {
  readonly at: number;
  readonly end: LineEnd;
}

/** `plain` has only LF. `others` are sorted by offset. */
export interface SplitText {
  readonly plain: string;
  readonly usual: LineEnd;
  readonly others: readonly OtherEnd[];
}

const ANY_END = /\r\n?|\n/g;

/**
 * Split an exact text into what an editor shows and its line ends; `usual` is the most frequent
 * one.
 */
export function splitText(exact: string, whereNone: LineEnd = "\n"): SplitText {
  const breaks = breaksOf(exact);
  const usual = mostFrequent(breaks) ?? whereNone;
  return {
    plain: exact.replace(ANY_END, "\n"),
    usual,
    others: breaks.filter((found) => found.end !== usual),
  };
}

/**
 * Return the exact text: `joinText(splitText(text)) === text`.
 *
 * An edit can place a CR directly before an LF that ends a line of its own. As CRLF they would be
 * one line break, so the second is written as CR.
 */
export function joinText({ plain, usual, others }: SplitText): string {
  if (usual === "\n" && others.length === 0) {
    return plain;
  }
  const withUsual = (part: string): string => (usual === "\n" ? part : part.replaceAll("\n", usual));
  const parts: string[] = [];
  const write = (part: string): void => {
    const wouldJoin = part.startsWith("\n") && parts.at(-1)?.endsWith("\r");
    parts.push(...(part === "" ? [] : [wouldJoin ? `\r${part.slice(1)}` : part]));
  };
  let done = 0;
  for (const { at, end } of others) {
    write(withUsual(plain.slice(done, at)));
    write(end);
    done = at + 1;
  }
  write(withUsual(plain.slice(done)));
  return parts.join("");
}

/** Return one replacement that turns `before` into `after`, without their common start and end. */
export function replacement(before: string, after: string): { from: number; to: number; insert: string } | null {
  if (before === after) {
    return null;
  }
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before.charCodeAt(start) === after.charCodeAt(start)) {
    start += 1;
  }
  let tail = 0;
  while (tail < shorter - start && before.charCodeAt(before.length - 1 - tail) === after.charCodeAt(after.length - 1 - tail)) {
    tail += 1;
  }
  return { from: start, to: before.length - tail, insert: after.slice(start, after.length - tail) };
}

/** Return the line end that the server's `line_end` field means, or null if it is unknown. */
export function lineEndOf(field: string): LineEnd | null {
  const known: Readonly<Record<string, LineEnd>> = { lf: "\n", crlf: "\r\n", cr: "\r" };
  return known[field] ?? null;
}

/**
 * Return each line break with its offset in the plain text, in which each is one character long.
 */
function breaksOf(exact: string): OtherEnd[] {
  const found: OtherEnd[] = [];
  let shortened = 0;
  for (const match of exact.matchAll(ANY_END)) {
    const end = match[0] as LineEnd;
    found.push({ at: match.index - shortened, end });
    shortened += end.length - 1;
  }
  return found;
}

function mostFrequent(breaks: readonly OtherEnd[]): LineEnd | null {
  const counts = new Map<LineEnd, number>();
  for (const { end } of breaks) {
    counts.set(end, (counts.get(end) ?? 0) + 1);
  }
  let best: LineEnd | null = null;
  for (const [end, count] of counts) {
    if (best === null || count > (counts.get(best) ?? 0)) {
      best = end;
    }
  }
  return best;
}
