import assert from "node:assert/strict";
import { test } from "node:test";
import { Text } from "@codemirror/state";
import { offsetInLine, type Problem, rangeOf, readProblems } from "../src/problems";

function problem(line: number | null, column: number | null): Problem {
  return { severity: "error", code: "duplicate_key", message: "The key is there twice.", line, column };
}

function marked(text: string, line: number | null, column: number | null): string {
  const doc = Text.of(text.split("\n"));
  const { from, to } = rangeOf(problem(line, column), doc);
  return doc.sliceString(from, to);
}

test("columns are characters, also beyond the basic plane", () => {
  assert.equal(offsetInLine("a😀b", 1), 0);
  assert.equal(offsetInLine("a😀b", 2), 1);
  assert.equal(offsetInLine("a😀b", 3), 3);
  assert.equal(offsetInLine("a😀b", 99), 4);
});

test("the word at the place is marked", () => {
  assert.equal(marked("a: 1\nname: x", 2, 1), "name");
  assert.equal(marked("😀😀: 한글 x", 1, 5), "한글");
  assert.equal(marked("a: {b", 1, 4), "{");
  assert.equal(marked("a: 😀", 1, 4), "😀");
});

test("behind the last character the one before is marked, and nothing in an empty line", () => {
  assert.equal(marked("abc", 1, 4), "c");
  assert.equal(marked("a😀", 1, 3), "😀");
  assert.equal(marked("a\n\nb", 2, 1), "");
});

test("a problem of a line without a column marks the line, and of the whole text nothing", () => {
  assert.equal(marked("a: 1\nb: 2", 2, null), "b: 2");
  assert.equal(marked("a: 1", null, null), "");
});

test("a place that an edit has taken away is the last line", () => {
  assert.equal(marked("a\nb", 9, 3), "b");
  assert.equal(marked("", 9, 3), "");
});

test("what is no problem is left out", () => {
  const good = problem(1, 2);
  assert.deepEqual(readProblems([good, { ...good, severity: "fatal" }, { ...good, line: "1" }, null, 3]), [good]);
  assert.deepEqual(readProblems({ problems: [] }), []);
});
