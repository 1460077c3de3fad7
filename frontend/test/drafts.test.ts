import assert from "node:assert/strict";
import { test } from "node:test";
import { Drafts, draftsToDrop, fileOf, readDraft } from "../src/drafts";

const LIMITS = { maxAge: 100, maxCount: 3, maxLength: 10 };

/** A browser's storage for `room` characters of values. */
function storageOf(room = Infinity): Storage {
  const held = new Map<string, string>();
  return {
    get length() {
      return held.size;
    },
    key: (index) => [...held.keys()][index] ?? null,
    getItem: (key) => held.get(key) ?? null,
    removeItem: (key) => void held.delete(key),
    clear: () => held.clear(),
    setItem: (key, value) => {
      const others = [...held].filter(([name]) => name !== key).reduce((sum, [, text]) => sum + text.length, 0);
      if (others + value.length > room) {
        throw new DOMException("full", "QuotaExceededError");
      }
      held.set(key, value);
    },
  };
}

test("drafts are dropped by age, then the oldest by number and length", () => {
  const draft = (key: string, savedAt: number, length = 1): { key: string; savedAt: number; length: number } => ({ key, savedAt, length });
  assert.deepEqual(draftsToDrop([draft("old", 0), draft("new", 150)], 200, LIMITS), ["old"]);
  const four = [draft("b", 120), draft("a", 110), draft("d", 140), draft("c", 130)];
  assert.deepEqual(draftsToDrop(four, 200, LIMITS), ["a"]);
  assert.deepEqual(draftsToDrop([draft("a", 110, 6), draft("b", 120, 6)], 200, LIMITS), ["a"]);
  assert.deepEqual(draftsToDrop([draft("future", 10_000)], 200, LIMITS), []);
});

test("a draft is found under its key, else under another revision of the file", () => {
  let now = 0;
  const drafts = new Drafts(storageOf, () => (now += 1));
  const storage = storageOf();
  const kept = new Drafts(() => storage, () => (now += 1));
  kept.keep("modified:7:2", "two");
  kept.keep("modified:7:3", "three");
  kept.keep("modified:71:9", "other file");
  assert.equal(kept.find("modified:7:2")?.draft.text, "two");
  assert.deepEqual(kept.find("modified:7:4")?.key, "modified:7:3");
  assert.equal(kept.find("modified:8:1"), null);
  assert.equal(kept.find("unstructured"), null);
  assert.equal(drafts.find("modified:7:2"), null);
});

test("a forgotten draft is gone", () => {
  const storage = storageOf();
  const drafts = new Drafts(() => storage);
  drafts.keep("a:1", "text\r\n");
  assert.equal(drafts.find("a:1")?.draft.text, "text\r\n");
  drafts.forget("a:1");
  assert.equal(drafts.find("a:1"), null);
});

test("pruning leaves what is not ours, and drops what is no draft", () => {
  const storage = storageOf();
  storage.setItem("theme", "dark");
  storage.setItem("bm-draft:broken:1", "{");
  const drafts = new Drafts(() => storage);
  drafts.keep("a:1", "kept");
  drafts.prune();
  assert.deepEqual([storage.getItem("theme"), storage.getItem("bm-draft:broken:1")], ["dark", null]);
  assert.equal(drafts.find("a:1")?.draft.text, "kept");
});

test("a full storage gives up its oldest drafts for the newest", () => {
  const storage = storageOf(1_000_000);
  let now = 0;
  const drafts = new Drafts(() => storage, () => (now += 1));
  drafts.keep("a:1", "x".repeat(450_000));
  drafts.keep("b:1", "y".repeat(450_000));
  drafts.keep("c:1", "z".repeat(450_000));
  assert.equal(drafts.find("a:1"), null);
  assert.equal(drafts.find("b:1")?.draft.text[0], "y");
  assert.equal(drafts.find("c:1")?.draft.text[0], "z");
});

test("a forbidden storage means no drafts, and no error", () => {
  const drafts = new Drafts(() => {
    throw new DOMException("forbidden", "SecurityError");
  });
  drafts.keep("a:1", "text");
  drafts.prune();
  assert.equal(drafts.find("a:1"), null);
});

test("what is stored is judged before it is believed", () => {
  for (const stored of [null, "", "null", "3", "{", '{"text":1,"savedAt":2}', '{"text":"a"}', '{"text":"a","savedAt":null}']) {
    assert.equal(readDraft(stored), null);
  }
  assert.equal(fileOf("modified:7:3"), "modified:7:");
});
