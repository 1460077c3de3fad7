/** Shows the branches and folders of a repository beside the form that adds it. */

import { all, fetchPage, fieldsOf, isAbort, named, ownHeaders, settled } from "../dom";
import { redraw } from "./redraw";

const PAUSE = 250;
/** The fields that decide what is offered; the other fields are only filled in. */
const ASKING = "#github_repo_url, #github_token, #branch, #ref_kind";
const COUNTED = "#config_folder, #job_folder";
const FILLED = ["name", "config_folder", "job_folder"];

/**
 * Set up `<form data-offers-url="URL">`.
 *
 * Once the form has an address and the person leaves a field, its fields are sent to the URL, and
 * `[data-offers]` is updated from the response. A button with `data-fills="#ID"` puts its value
 * into that field.
 */
export function offerFolders(): void {
  for (const form of all<HTMLFormElement>("form[data-offers-url]")) {
    let running = new AbortController();
    const show = (): void => {
      running.abort();
      running = new AbortController();
      void showOffers(form, running.signal);
    };
    const soon = settled(PAUSE, show);
    form.addEventListener("change", (event) => {
      const field = event.target as HTMLElement;
      if (hasAddress(form) && (field.matches(ASKING) || (field.matches(COUNTED) && isOffered(form)))) {
        soon();
      }
    });
    form.addEventListener("click", (event) => {
      const button = (event.target as Element).closest<HTMLButtonElement>("[data-fills], [data-shows-offers]");
      if (button !== null) {
        event.preventDefault();
        fill(button);
        soon.cancel();
        show();
      }
    });
    form.addEventListener("submit", () => soon.cancel());
  }
}

function hasAddress(form: HTMLFormElement): boolean {
  return (form.querySelector<HTMLInputElement>("#github_repo_url")?.value.trim() ?? "") !== "";
}

function isOffered(form: HTMLFormElement): boolean {
  return form.querySelector("[data-offers] [data-fills]") !== null;
}

function fill(button: HTMLButtonElement): void {
  const field = named<HTMLInputElement>(button.dataset["fills"]);
  if (field !== null) {
    field.value = button.value === "/" ? "" : button.value;
  }
}

async function showOffers(form: HTMLFormElement, signal: AbortSignal): Promise<void> {
  const request = { method: "POST", body: fieldsOf(form), headers: ownHeaders(), signal };
  const offers = all("[data-offers]", form);
  offers.forEach((element) => element.setAttribute("aria-busy", "true"));
  try {
    const page = await fetchPage(form.dataset["offersUrl"] ?? "", request);
    if (page !== null) {
      redraw("[data-offers]", page);
      fillUntouched(form, page);
    }
  } catch (error) {
    if (isAbort(error)) {
      // A newer request is running, and removes the mark when it ends.
      return;
    }
  }
  offers.forEach((element) => element.removeAttribute("aria-busy"));
}

/** Fill the fields that the person has not changed with what the repository suggests. */
function fillUntouched(form: HTMLFormElement, page: Document): void {
  for (const id of FILLED) {
    const field = form.querySelector<HTMLInputElement>(`#${id}`);
    const suggested = page.querySelector<HTMLInputElement>(`#${id}`);
    if (field !== null && suggested !== null && field.value === field.defaultValue && field.value !== suggested.value) {
      field.value = suggested.value;
      field.defaultValue = suggested.value;
      if (field === document.activeElement) {
        // Selected, so that typing replaces it.
        field.select();
      }
    }
  }
}
