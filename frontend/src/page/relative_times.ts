/** Shows times as "3 min ago", with the exact local time on hover. */

import { all, REDRAWN } from "../dom";
import { exactTime, relativeTime } from "../relative_time";
import { language } from "../texts";

const EVERY = 10_000;

export function keepTimesRelative(): void {
  showTimes();
  setInterval(() => document.hidden || showTimes(), EVERY);
  document.addEventListener("visibilitychange", showTimes);
  document.addEventListener(REDRAWN, showTimes);
}

function showTimes(): void {
  const now = Date.now();
  for (const element of all<HTMLTimeElement>("time[data-relative][datetime]")) {
    const text = relativeTime(element.dateTime, now, language());
    if (text !== null && element.textContent !== text) {
      element.textContent = text;
      element.title = exactTime(element.dateTime, language());
    }
  }
}
