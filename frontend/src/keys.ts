/** Maps key presses to single-key shortcuts. */

export interface KeyPress {
  readonly key: string;
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}

/**
 * Return the shortcut's character in lower case, or null.
 *
 * With a Hangul layout the key S gives "ㄴ", and with an input method "Process"; then the position
 * of the key decides.
 */
export function shortcutOf(press: KeyPress): string | null {
  return press.ctrlKey || press.metaKey || press.altKey ? null : characterOf(press);
}

/** Return whether Ctrl-S, or Cmd-S on a Mac, was pressed. */
export function isSave(press: KeyPress & { readonly shiftKey: boolean }): boolean {
  return (press.ctrlKey || press.metaKey) && !press.altKey && !press.shiftKey && characterOf(press) === "s";
}

function characterOf(press: KeyPress): string | null {
  if (/^[!-~]$/.test(press.key)) {
    return press.key.toLowerCase();
  }
  const isOtherScript = press.key === "Process" || (press.key.length === 1 && press.key > "~");
  const letter = /^Key([A-Z])$/.exec(press.code)?.[1];
  return isOtherScript && letter !== undefined ? letter.toLowerCase() : null;
}
