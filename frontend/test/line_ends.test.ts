import assert from "node:assert/strict";
import { test } from "node:test";
import { history, moveLineDown, redo, undo } from "@codemirror/commands";
import { EditorState, type StateCommand, type TransactionSpec } from "@codemirror/state";
import { exactText, keepLineEnds, withLineEnds } from "../src/editor/line_ends";
import { replacement, splitText } from "../src/exact_text";
import { randomNumbers, randomText } from "./random";

function open(exact: string): EditorState {
  const text = splitText(exact);
  return EditorState.create({ doc: text.plain, extensions: [history({ newGroupDelay: -1 }), keepLineEnds(text)] });
}

function change(state: EditorState, spec: TransactionSpec): EditorState {
  return state.update(spec).state;
}

function run(state: EditorState, command: StateCommand): EditorState {
  let result = state;
  command({ state, dispatch: (transaction) => (result = transaction.state) });
  return result;
}

test("an untouched text is exact", () => {
  for (const text of ["", "a", "a\r\nb\n\rc\r", "\ufeffa\r\n", "\r\n\r\n\n"]) {
    assert.equal(exactText(open(text)), text);
  }
});

test("typing within mixed lines changes those lines only", () => {
  const state = open("one\r\ntwo\nthree\rfour\r\n");
  assert.equal(exactText(change(state, { changes: { from: 7, insert: "!" } })), "one\r\ntwo!\nthree\rfour\r\n");
  assert.equal(exactText(change(state, { changes: { from: 8, insert: "!" } })), "one\r\ntwo\n!three\rfour\r\n");
});

test("a new line gets the usual end, also a pasted one", () => {
  const state = open("one\r\ntwo\r\nthree\n");
  assert.equal(exactText(change(state, { changes: { from: 3, insert: "\nand\n" } })), "one\r\nand\r\n\r\ntwo\r\nthree\n");
  assert.equal(exactText(change(state, { changes: { from: 0, insert: state.toText("a\nb\r\n") } })), "a\r\nb\r\none\r\ntwo\r\nthree\n");
});

test("a text of CR or CRLF alone stays so", () => {
  assert.equal(exactText(change(open("a\rb\r"), { changes: { from: 1, insert: "\n" } })), "a\r\rb\r");
  assert.equal(exactText(change(open("a\r\nb"), { changes: { from: 3, insert: "\n" } })), "a\r\nb\r\n");
});

test("a deleted line end comes back with undo, and goes again with redo", () => {
  const before = "one\r\ntwo\nthree\r\n";
  const joined = change(open(before), { changes: { from: 4, to: 8, insert: "" } });
  assert.equal(exactText(joined), "one\r\nthree\r\n");
  const undone = run(joined, undo);
  assert.equal(exactText(undone), before);
  assert.equal(exactText(run(undone, redo)), exactText(joined));
});

test("lines which an edit brings together stay as many as they are shown", () => {
  assert.equal(exactText(change(open("a\rb\nc\n"), { changes: { from: 2, to: 3 } })), "a\r\rc\n");
  assert.equal(exactText(change(open("a\rb\rc\nd"), { changes: { from: 4, to: 5 } })), "a\rb\r\rd");
});

test("moving lines keeps the ends of those that stay", () => {
  const state = change(open("a\r\nb\r\nc\nd\r\ne\n"), { selection: { anchor: 0 } });
  assert.equal(exactText(run(state, moveLineDown)).split("c")[1], "\nd\r\ne\n");
});

test("a whole other text brings its own line ends, and undo the old ones", () => {
  const [before, after] = ["a\r\nb\nc\r\n", "a\nx\r\nc\n"];
  const text = splitText(after);
  const changes = replacement(splitText(before).plain, text.plain);
  const replaced = change(open(before), { ...(changes ? { changes } : {}), effects: withLineEnds(text) });
  assert.equal(exactText(replaced), after);
  const undone = run(replaced, undo);
  assert.equal(exactText(undone), before);
  assert.equal(exactText(run(undone, redo)), after);
});

test("undoing everything gives the exact text, after any edits", () => {
  const random = randomNumbers(3);
  for (let round = 0; round < 300; round += 1) {
    const before = randomText(random, random(25));
    let state = open(before);
    for (let step = 0; step < 8; step += 1) {
      const from = random(state.doc.length + 1);
      const to = from + random(state.doc.length - from + 1);
      state = change(state, { changes: { from, to, insert: state.toText(randomText(random, random(4))) } });
      if (random(4) === 0) {
        state = run(run(state, undo), redo);
      }
    }
    const after = exactText(state);
    assert.equal(splitText(after).plain, state.doc.toString());
    let undone = state;
    for (let step = 0; step < 8; step += 1) {
      undone = run(undone, undo);
    }
    assert.equal(exactText(undone), before);
  }
});
