/** Updates a page while something changes on the server. */

import { fetchPage, make, settled } from "../dom";
import { pageTexts } from "../texts";
import { redraw } from "./redraw";
import { isSending } from "./sending";

/** Milliseconds; added to the server's own delay before a change becomes visible. */
const PAUSE = 400;
const FIRST_RETRY = 2_000;
const LAST_RETRY = 60_000;

/** The names of the service's events. A browser receives only those it subscribes to. */
const NAMES = ["project", "sync", "files", "modified_file", "release", "result", "sweep", "reset"];

/**
 * Follow `<main data-events="URL">`: each event updates the `[data-live]` elements, from this page or
 * from `data-live-from`.
 */
export function followEvents(): void {
  const main = document.querySelector<HTMLElement>("[data-events]");
  const url = main?.dataset["events"];
  if (url) {
    new Follower(url, main?.dataset["liveFrom"]).start();
  }
}

class Follower {
  private source: EventSource | null = null;
  private retry = FIRST_RETRY;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isRunning = false;
  private isStale = false;
  private readonly refreshSoon = settled(PAUSE, () => void this.refresh());

  constructor(
    private readonly url: string,
    private readonly page: string | undefined,
  ) {}

  /** Disconnect hidden pages: browsers allow six connections to a server over all tabs. */
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

  /** Fetch the page once after connecting, because earlier events were missed. */
  private connected(): void {
    this.retry = FIRST_RETRY;
    this.refreshSoon();
  }

  /** Browsers reconnect after a lost connection, but not after a response such as 503. */
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

  private showGone(): void {
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
    // A form is being sent, which may delete what this page shows.
    if (isSending()) {
      this.refreshSoon();
      return;
    }
    this.isRunning = true;
    try {
      const page = await fetchPage(this.page ?? location.href, { cache: "no-store" }, () => this.showGone());
      if (page !== null) {
        redraw("[data-live]", page);
      }
    } catch {
      // The next event or connection fetches the page again.
    }
    this.isRunning = false;
    if (this.isStale) {
      this.isStale = false;
      this.refreshSoon();
    }
  }
}
