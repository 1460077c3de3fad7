/** Copies `data-copy="text"`, or `data-copy-from="#element"` for long texts. */

import { announce, make, named, unseen } from "../dom";
import { pageTexts } from "../texts";

const SHOWN = 2_000;

export function copyOnClick(): void {
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-copy], [data-copy-from]");
    if (button !== null) {
      event.preventDefault();
      void copyFor(button);
    }
  });
}

async function copyFor(button: HTMLElement): Promise<void> {
  const text = button.dataset["copy"] || (named(button.dataset["copyFrom"])?.textContent ?? "");
  const isCopied = (await copyByClipboard(text)) || copyBySelection(text, button);
  const said = isCopied ? pageTexts().copied : pageTexts().copyFailed;
  announce(said);
  button.dataset["copied"] = said;
  setTimeout(() => delete button.dataset["copied"], SHOWN);
}

async function copyByClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Copy without the clipboard API, which browsers offer on HTTPS only; many clusters use HTTP. */
function copyBySelection(text: string, button: HTMLElement): boolean {
  const area = unseen(make("textarea"));
  area.value = text;
  button.after(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  button.focus();
  return isCopied;
}
