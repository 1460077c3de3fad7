/** A small random generator that a test can repeat (mulberry32). */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const PIECES = ["\n", "\r\n", "\r", "\n\n", "a", "key: value", "  ", "한글", "😀", "\ufeff", "\t", ""];

export function randomText(random: (below: number) => number, length: number): string {
  return Array.from({ length }, () => PIECES[random(PIECES.length)] ?? "").join("");
}
