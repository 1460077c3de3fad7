/** Copies parts of a newly fetched page into this one. */

import { all, REDRAWN } from "../dom";
import { cleanForms, rememberAnew } from "./forms";
import { morph } from "./morph";

/**
 * Update every matching element with an id from the element with the same id in `fresh`; keep it if
 * there is none.
 */
export function redraw(selector: string, fresh: Document): void {
  const clean = cleanForms();
  for (const old of all(selector)) {
    const wanted = old.id === "" ? null : fresh.getElementById(old.id);
    // An element inside another one was updated with it; updating it again changes nothing.
    if (wanted !== null && old.isConnected) {
      morph(old, wanted);
    }
  }
  // Editors take over new texts before the forms are compared.
  document.dispatchEvent(new CustomEvent(REDRAWN));
  rememberAnew(clean);
}
