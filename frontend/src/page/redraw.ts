/** Taking parts of a newly fetched page into this one. */

import { all, REDRAWN } from "../dom";
import { cleanForms, rememberAnew } from "./forms";
import { morph } from "./morph";

/** Redraw every element which matches and has an id, from its namesake in `fresh`; one that is gone there stays. */
export function redraw(selector: string, fresh: Document): void {
  const clean = cleanForms();
  for (const old of all(selector)) {
    const wanted = old.id === "" ? null : fresh.getElementById(old.id);
    // One inside another was redrawn with it already, and morphing it again finds nothing to do.
    if (wanted !== null && old.isConnected) {
      morph(old, wanted);
    }
  }
  // Editors take their new texts over before the forms are looked at.
  document.dispatchEvent(new CustomEvent(REDRAWN));
  rememberAnew(clean);
}
