/** Times relative to now, in the reader's language. */

const STEPS: readonly (readonly [limit: number, seconds: number, unit: Intl.RelativeTimeFormatUnit])[] = [
  [60, 1, "second"],
  [60 * 60, 60, "minute"],
  [24 * 60 * 60, 60 * 60, "hour"],
  [30 * 24 * 60 * 60, 24 * 60 * 60, "day"],
  [365 * 24 * 60 * 60, 30.4 * 24 * 60 * 60, "month"],
  [Infinity, 365 * 24 * 60 * 60, "year"],
];

/** Below this many seconds it is "now": the clocks of server and reader may differ by as much. */
const NOW = 10;

const DAY = 24 * 60 * 60;

/**
 * Return whole units, rounded down: 119 seconds are one minute. Negative is the past.
 *
 * Days and more to come are rounded to the nearest: a token made for 90 days, or 7, says so.
 */
export function relativeParts(seconds: number): { value: number; unit: Intl.RelativeTimeFormatUnit } {
  const distance = Math.abs(seconds);
  if (distance < NOW) {
    return { value: 0, unit: "second" };
  }
  for (const [limit, length, unit] of STEPS) {
    if (distance < limit) {
      const rounded = seconds >= DAY ? Math.round(distance / length) : Math.floor(distance / length);
      return { value: Math.sign(seconds) * Math.max(1, rounded), unit };
    }
  }
  return { value: 0, unit: "second" };
}

/** Return "3 min ago", "now", "in 2 hr."; null if the time is invalid. */
export function relativeTime(time: string, now: number, language: string): string | null {
  const then = Date.parse(time);
  if (Number.isNaN(then)) {
    return null;
  }
  const { value, unit } = relativeParts((then - now) / 1000);
  return new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" }).format(value, unit);
}

/** Return the same time in the reader's time zone, to the second. */
export function exactTime(time: string, language: string, timeZone?: string): string {
  const zone = timeZone === undefined ? {} : { timeZone };
  return new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "long", ...zone }).format(new Date(time));
}
