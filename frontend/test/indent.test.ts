import assert from "node:assert/strict";
import { test } from "node:test";
import { indentOf } from "../src/indent";

test("the smallest step inwards is one level", () => {
  assert.equal(indentOf('{\n    "a": {\n        "b": 1\n    }\n}\n').length, 4);
  assert.equal(indentOf("a:\n  b:\n      - c\n").length, 2);
});

test("two spaces are assumed where nothing or nothing sensible is seen", () => {
  assert.equal(indentOf("").length, 2);
  assert.equal(indentOf("a: 1\n\n\tb").length, 2);
  assert.equal(indentOf(" ".repeat(20_000) + "x").length, 2);
});
