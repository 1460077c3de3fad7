import assert from "node:assert/strict";
import { test } from "node:test";
import { pairChildren } from "../src/pairing";
import { randomNumbers } from "./random";

const rows = (...ids: string[]): { id: string; name: string }[] => ids.map((id) => ({ id, name: "TR" }));

test("rows with ids follow them wherever they move", () => {
  assert.deepEqual(pairChildren(rows("a", "b", "c"), rows("c", "new", "a")), [2, -1, 0]);
});

test("children without ids are reused in order, by name", () => {
  const old = [{ id: "", name: "#text" }, { id: "", name: "P" }, { id: "", name: "#text" }];
  const fresh = [{ id: "", name: "P" }, { id: "", name: "#text" }, { id: "", name: "UL" }];
  assert.deepEqual(pairChildren(old, fresh), [1, 0, -1]);
});

test("an id on another kind of element is another element", () => {
  assert.deepEqual(pairChildren([{ id: "a", name: "P" }], [{ id: "a", name: "UL" }]), [-1]);
});

test("no old child is used twice, even where ids repeat", () => {
  const random = randomNumbers(4);
  const children = (): { id: string; name: string }[] =>
    Array.from({ length: random(12) }, () => ({ id: ["", "a", "b"][random(3)] ?? "", name: ["P", "UL"][random(2)] ?? "P" }));
  for (let round = 0; round < 1000; round += 1) {
    const [old, fresh] = [children(), children()];
    const used = pairChildren(old, fresh).filter((index) => index >= 0);
    assert.equal(new Set(used).size, used.length);
  }
});

test("ten thousand rows are paired at once", () => {
  const many = Array.from({ length: 10_000 }, () => ({ id: "", name: "TR" }));
  const start = performance.now();
  pairChildren(many, many);
  assert.ok(performance.now() - start < 1000);
});
