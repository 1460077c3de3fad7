import assert from "node:assert/strict";
import { test } from "node:test";
import { exactTime, relativeParts, relativeTime } from "../src/relative_time";

const NOW = Date.parse("2026-05-01T12:00:00Z");
const ago = (seconds: number, language = "en"): string | null =>
  relativeTime(new Date(NOW - seconds * 1000).toISOString(), NOW, language);

test("units change where one of the next is full, and are cut", () => {
  assert.deepEqual(relativeParts(-59), { value: -59, unit: "second" });
  assert.deepEqual(relativeParts(-119), { value: -1, unit: "minute" });
  assert.deepEqual(relativeParts(-3599), { value: -59, unit: "minute" });
  assert.deepEqual(relativeParts(-86_399), { value: -23, unit: "hour" });
  assert.deepEqual(relativeParts(-30 * 86_400), { value: -1, unit: "month" });
  assert.deepEqual(relativeParts(-364 * 86_400), { value: -11, unit: "month" });
  assert.deepEqual(relativeParts(-800 * 86_400), { value: -2, unit: "year" });
});

test("an expiry is as far away as it was chosen to be", () => {
  const expiry = (days: number): unknown => relativeParts(days * 86_400 - 60);
  assert.deepEqual(expiry(7), { value: 7, unit: "day" });
  assert.deepEqual(expiry(30), { value: 30, unit: "day" });
  assert.deepEqual(expiry(90), { value: 3, unit: "month" });
  assert.deepEqual(expiry(180), { value: 6, unit: "month" });
  assert.deepEqual(expiry(365), { value: 12, unit: "month" });
  assert.deepEqual(relativeParts(86_399), { value: 23, unit: "hour" });
});

test("it speaks the page's language, of the past and the future", () => {
  assert.equal(ago(180), "3 min. ago");
  assert.equal(ago(180, "ko"), "3분 전");
  assert.equal(ago(-7200), "in 2 hr.");
  assert.equal(ago(86_400), "yesterday");
});

test("clocks which differ a little say now", () => {
  assert.equal(ago(-4), "now");
  assert.equal(ago(9, "ko"), "지금");
});

test("what is no time stays as it was drawn", () => {
  assert.equal(relativeTime("never", NOW, "en"), null);
});

test("the exact time is in the reader's zone", () => {
  const time = exactTime("2026-05-01T23:30:05Z", "en", "Asia/Seoul");
  assert.match(time, /May 2, 2026/);
  assert.match(time, /8:30:05/);
});
