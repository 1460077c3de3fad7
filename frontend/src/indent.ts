/** The indentation of a text. */

const LOOKED_AT = 10_000;

/**
 * Return the smallest step from a line to a deeper next one in the first 10,000 characters, or two
 * spaces.
 */
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
