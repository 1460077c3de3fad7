/** A page which follows what happens on the server while one looks at it. */

import { fetchPage, make, settled } from "../dom";
import { pageTexts } from "../texts";
import { redraw } from "./redraw";
import { isSending } from "./sending";

/** Together with the server's own pause this is what a change takes to be seen. */
const PAUSE = 400;
const FIRST_RETRY = 2_000;
const LAST_RETRY = 60_000;

/** What the service tells of. A browser hears only of the names it asks for. */
const NAMES = ["project", "sync", "files", "modified_file", "release", "reset"];

/** Follow `<main data-events="URL">`: each event redraws the `[data-live]` elements. */
export function followEvents(): void {
  const url = document.querySelector<HTMLElement>("[data-events]")?.dataset["events"];
  if (url) {
    new Follower(url).start();
  }
}

class Follower {
  private source: EventSource | null = null;
  private retry = FIRST_RETRY;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isRunning = false;
  private isStale = false;
  private readonly refreshSoon = settled(PAUSE, () => void this.refresh());

  constructor(private readonly url: string) {}

  /** Hidden pages do not listen: browsers allow six connections to one server, over all tabs. */
  start(): void {
    document.addEventListener("visibilitychange", () => this.follow());
    window.addEventListener("pagehide", () => this.stop());
    window.addEventListener("pageshow", (event) => event.persisted && this.follow());
    this.follow();
  }

  private follow(): void {
    if (document.hidden) {
      this.stop();
    } else if (this.source === null) {
      this.connect();
    }
  }

  private connect(): void {
    clearTimeout(this.timer);
    const source = new EventSource(this.url);
    this.source = source;
    source.addEventListener("open", () => this.connected());
    NAMES.forEach((name) => source.addEventListener(name, () => this.refreshSoon()));
    source.addEventListener("error", () => this.failed(source));
  }

  /** Whatever happened while nobody listened has to be asked for, also between drawing the page and this. */
  private connected(): void {
    this.retry = FIRST_RETRY;
    this.refreshSoon();
  }

  /** A browser connects again by itself after a cut, but gives up for good after an answer such as 503. */
  private failed(source: EventSource): void {
    if (source.readyState !== EventSource.CLOSED || source !== this.source) {
      return;
    }
    this.source = null;
    this.timer = setTimeout(() => this.follow(), this.retry);
    this.retry = Math.min(this.retry * 2, LAST_RETRY);
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.refreshSoon.cancel();
    this.source?.close();
    this.source = null;
  }

  private tellGone(): void {
    document.querySelector("[data-gone]")?.remove();
    const text = make("p", {}, pageTexts().gone);
    const banner = make("div", { class: "banner warn", role: "alert", "data-gone": "", "data-made-by-script": "" }, text);
    document.querySelector("main")?.prepend(banner);
  }

  private async refresh(): Promise<void> {
    if (this.isRunning) {
      this.isStale = true;
      return;
    }
    // The page is about to be left, perhaps because the very thing that it shows is being deleted by it.
    if (isSending()) {
      this.refreshSoon();
      return;
    }
    this.isRunning = true;
    try {
      const page = await fetchPage(location.href, { cache: "no-store" }, () => this.tellGone());
      if (page !== null) {
        redraw("[data-live]", page);
      }
    } catch {
      // The next event, or the next connection, asks again.
    }
    this.isRunning = false;
    if (this.isStale) {
      this.isStale = false;
      this.refreshSoon();
    }
  }
}
