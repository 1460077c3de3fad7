/** Small helpers for pages that the server rendered. */

let made = 0;

/**
 * Create an element with attributes and children, never from a string of HTML.
 *
 * An element with `data-made-by-script` gets an id, by which updates distinguish it from the
 * server's elements.
 */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, value);
  }
  if ("data-made-by-script" in attributes && element.id === "") {
    made += 1;
    element.id = `made-by-script-${made}`;
  }
  element.append(...children);
  return element;
}

export function all<Wanted extends Element = HTMLElement>(selector: string, root: ParentNode = document): Wanted[] {
  return [...root.querySelectorAll<Wanted>(selector)];
}

/**
 * Return the element of a selector in an attribute, or null if there is none or the selector is
 * invalid.
 */
export function named<Wanted extends Element = HTMLElement>(selector: string | undefined): Wanted | null {
  try {
    return selector ? document.querySelector<Wanted>(selector) : null;
  } catch {
    return null;
  }
}

/** Headers that only scripts on our own pages can send. */
export function ownHeaders(more: Readonly<Record<string, string>> = {}): Headers {
  const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content;
  return new Headers({ ...more, ...(token ? { "X-CSRF-Token": token } : {}) });
}

/**
 * Fetch a page's document, or null if the response is not one (an error, a sign-in, a file); `gone`
 * is called for a 404.
 */
export async function fetchPage(url: string | URL, init: RequestInit = {}, gone?: () => void): Promise<Document | null> {
  const answer = await fetch(url, { credentials: "same-origin", ...init });
  if (answer.status === 404) {
    gone?.();
  }
  const isPage = answer.ok && (answer.headers.get("content-type") ?? "").startsWith("text/html");
  return isPage ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
}

/** Return a form's fields as a plain submission would send them. */
export function fieldsOf(form: HTMLFormElement): URLSearchParams {
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string") {
      fields.append(name, value);
    }
  }
  return fields;
}

/** Call `action` once, `pause` ms after the last call. */
export function settled(pause: number, action: () => void): { (): void; now(): void; cancel(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(action, pause);
  };
  const cancel = (): void => clearTimeout(timer);
  const now = (): void => {
    cancel();
    action();
  };
  return Object.assign(soon, { now, cancel });
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

export function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}

/** The event that reports to the scripts of both bundles that parts of the page were updated. */
export const REDRAWN = "bm:redrawn";

/** Hide an element visually only; the Content-Security-Policy allows styles that scripts set. */
export function unseen<Wanted extends HTMLElement>(element: Wanted): Wanted {
  Object.assign(element.style, { position: "absolute", width: "1px", height: "1px", overflow: "hidden", clipPath: "inset(50%)" });
  return element;
}

let announcer: HTMLElement | null = null;

/** Announce a text to screen readers, without moving the focus. */
export function announce(text: string): void {
  if (announcer === null) {
    announcer = unseen(make("div", { role: "status", "data-made-by-script": "" }));
    document.body.append(announcer);
  }
  announcer.textContent = text;
}
