/** How far a text indents. */

const LOOKED_AT = 10_000;

/** One level: the smallest step from a line to a deeper next one, in its first 10,000 characters; two spaces where none. */
export function indentOf(plain: string): string {
  let before = 0;
  let step = Infinity;
  for (const line of plain.slice(0, LOOKED_AT).split("\n")) {
    const depth = line.search(/[^ ]/);
    if (depth < 0) {
      continue;
    }
    if (depth > before) {
      step = Math.min(step, depth - before);
    }
    before = depth;
  }
  return " ".repeat(step >= 2 && step <= 8 ? step : 2);
}
