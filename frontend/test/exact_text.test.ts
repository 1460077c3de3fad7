import assert from "node:assert/strict";
import { test } from "node:test";
import { joinText, lineEndOf, replacement, splitText } from "../src/exact_text";
import { randomNumbers, randomText } from "./random";

test("joining what was split gives the text again, whatever its line ends", () => {
  const random = randomNumbers(1);
  for (let round = 0; round < 2000; round += 1) {
    const text = randomText(random, random(30));
    const split = splitText(text);
    assert.equal(joinText(split), text);
    assert.ok(!split.plain.includes("\r"));
  }
});

test("the usual line end is the most frequent one", () => {
  assert.equal(splitText("a\r\nb\r\nc\n").usual, "\r\n");
  assert.deepEqual(splitText("a\r\nb\r\nc\n").others, [{ at: 5, end: "\n" }]);
  assert.equal(splitText("a\rb\rc\n").usual, "\r");
});

test("a text of one line gets the stated line end", () => {
  assert.equal(splitText("a", "\r\n").usual, "\r\n");
  assert.equal(splitText("").usual, "\n");
});

test("a CR before a CRLF is a line break of its own", () => {
  const split = splitText("a\r\r\nb\r\n");
  assert.equal(split.plain, "a\n\nb\n");
  assert.deepEqual(split.others, [{ at: 1, end: "\r" }]);
});

test("a byte order mark and a missing last line end stay", () => {
  assert.equal(joinText(splitText("\ufeffa: 1\r\nb: 2")), "\ufeffa: 1\r\nb: 2");
});

test("one replacement makes one text into the other", () => {
  const random = randomNumbers(2);
  for (let round = 0; round < 2000; round += 1) {
    const [before, after] = [randomText(random, random(12)), randomText(random, random(12))];
    const change = replacement(before, after);
    const result = change === null ? before : before.slice(0, change.from) + change.insert + before.slice(change.to);
    assert.equal(result, after);
  }
});

test("a replacement leaves alone what both texts share", () => {
  assert.deepEqual(replacement("aaa", "aaaa"), { from: 3, to: 3, insert: "a" });
  assert.deepEqual(replacement("one\ntwo\nthree", "one\n2\nthree"), { from: 4, to: 7, insert: "2" });
  assert.equal(replacement("same", "same"), null);
});

test("mixed line ends have no name", () => {
  assert.equal(lineEndOf("crlf"), "\r\n");
  assert.equal(lineEndOf("mixed"), null);
  assert.equal(lineEndOf(""), null);
});
