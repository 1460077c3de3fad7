import assert from "node:assert/strict";
import { test } from "node:test";
import { isSave, type KeyPress, shortcutOf } from "../src/keys";

const press = (key: string, code: string, more: Partial<KeyPress> = {}): KeyPress & { shiftKey: boolean } => ({
  key,
  code,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...more,
});

test("a key means its character, in lower case", () => {
  assert.equal(shortcutOf(press("s", "KeyS")), "s");
  assert.equal(shortcutOf(press("S", "KeyS")), "s");
  assert.equal(shortcutOf(press("?", "Slash")), "?");
  assert.equal(shortcutOf(press("1", "Digit1")), "1");
});

test("the layout decides, not the key's place", () => {
  assert.equal(shortcutOf(press("o", "KeyS")), "o");
});

test("with Hangul or an input method the key's place counts", () => {
  assert.equal(shortcutOf(press("ㄴ", "KeyS")), "s");
  assert.equal(shortcutOf(press("Process", "KeyN")), "n");
});

test("named keys and those with Ctrl, Cmd or Alt are no shortcuts", () => {
  assert.equal(shortcutOf(press("Enter", "Enter")), null);
  assert.equal(shortcutOf(press("Shift", "ShiftLeft")), null);
  assert.equal(shortcutOf(press(" ", "Space")), null);
  assert.equal(shortcutOf(press("s", "KeyS", { ctrlKey: true })), null);
});

test("Ctrl-S and Cmd-S save, in any layout", () => {
  assert.ok(isSave(press("s", "KeyS", { ctrlKey: true })));
  assert.ok(isSave(press("ㄴ", "KeyS", { metaKey: true })));
  assert.ok(!isSave(press("o", "KeyS", { ctrlKey: true })));
  assert.ok(!isSave({ ...press("S", "KeyS", { ctrlKey: true }), shiftKey: true }));
  assert.ok(!isSave(press("s", "KeyS")));
});
