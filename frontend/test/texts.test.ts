import assert from "node:assert/strict";
import { test } from "node:test";
import { fill, textsOf } from "../src/texts";

const places = (text: string): string[] => (text.match(/\{\w+\}|\$/g) ?? []).sort();

test("Korean has every text, with the same places to fill", () => {
  const [english, korean] = [textsOf("en"), textsOf("ko-KR")];
  for (const key of Object.keys(english) as (keyof typeof english)[]) {
    assert.deepEqual(places(korean[key]), places(english[key]), key);
    assert.notEqual(korean[key], "", key);
  }
});

test("another language is read in English, and a page's own words win", () => {
  assert.equal(textsOf("fr").close, "Close");
  const given = textsOf("fr", { close: "Fermer", save: 3, unknown: "x" });
  assert.deepEqual([given.close, given.save, "unknown" in given], ["Fermer", "save", false]);
});

test("places are filled, also with text that looks like a place", () => {
  assert.equal(fill("{a} of {b}, {c}", { a: "{b}", b: 2 }), "{b} of 2, {c}");
});
