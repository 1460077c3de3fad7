/**
 * The line ends of an editor's text, kept beside the text.
 *
 * CodeMirror's `lineSeparator` supports one kind per text: in a text with mixed line ends it would
 * show the other kinds as characters, or change them. Therefore the editor's text has only LF, and
 * line ends that differ from the usual one are tracked as positions.
 */

import { invertedEffects } from "@codemirror/commands";
import {
  type ChangeSet,
  type EditorState,
  type Extension,
  Range,
  RangeSet,
  RangeValue,
  StateEffect,
  StateField,
  type Transaction,
} from "@codemirror/state";
import { joinText, type LineEnd, type OtherEnd, type SplitText } from "../exact_text";

interface Ends {
  readonly usual: LineEnd;
  readonly others: RangeSet<EndValue>;
}

class EndValue extends RangeValue {
  // Text typed next to a line break does not belong to it.
  override readonly startSide = 1;
  override readonly endSide = -1;

  constructor(readonly end: LineEnd) {
    super();
  }

  override eq(other: EndValue): boolean {
    return other.end === this.end;
  }
}

/** Restore a line end that a deletion removed; used by undo. */
const putBack = StateEffect.define<OtherEnd>({
  map: ({ at, end }, changes) => ({ at: changes.mapPos(at, 1), end }),
});

const setEnds = StateEffect.define<Ends>({
  map: ({ usual, others }, changes) => ({ usual, others: others.map(changes) }),
});

const field = StateField.define<Ends>({
  create: () => ({ usual: "\n", others: RangeSet.empty }),
  update: (ends, transaction) =>
    transaction.effects.reduce(
      (result, effect) => applied(result, effect, transaction),
      transaction.docChanged ? moved(ends, transaction.changes) : ends,
    ),
});

/** Track the line ends of a text whose `plain` is the editor's document. */
export function keepLineEnds(text: SplitText): Extension {
  return [field.init(() => endsOf(text)), invertedEffects.of(inverses)];
}

/** Return the document with its line ends. */
export function exactText(state: EditorState): string {
  return joinText({ plain: state.doc.toString(), ...partsOf(state.field(field)) });
}

/**
 * Return the effect that sets the line ends of a new text, together with the change to
 * `text.plain`.
 */
export function withLineEnds(text: SplitText): StateEffect<unknown> {
  return setEnds.of(endsOf(text));
}

function endsOf({ usual, others }: SplitText): Ends {
  return { usual, others: RangeSet.of(others.map(({ at, end }) => rangeAt(at, end))) };
}

function partsOf({ usual, others }: Ends): { usual: LineEnd; others: OtherEnd[] } {
  const found: OtherEnd[] = [];
  for (const cursor = others.iter(); cursor.value !== null; cursor.next()) {
    found.push({ at: cursor.from, end: cursor.value.end });
  }
  return { usual, others: found };
}

/**
 * Remove replaced ranges first: they would be mapped to the replacement, which may not be a line
 * break.
 */
function moved(ends: Ends, changes: ChangeSet): Ends {
  const lost = new Set(lostEnds(ends, changes).map(({ at }) => at));
  const left = lost.size === 0 ? ends.others : ends.others.update({ filter: (from) => !lost.has(from) });
  return { usual: ends.usual, others: left.map(changes) };
}

function applied(ends: Ends, effect: StateEffect<unknown>, { newDoc }: Transaction): Ends {
  if (effect.is(setEnds)) {
    return effect.value;
  }
  if (effect.is(putBack) && newDoc.sliceString(effect.value.at, effect.value.at + 1) === "\n") {
    return { usual: ends.usual, others: ends.others.update({ add: [rangeAt(effect.value.at, effect.value.end)] }) };
  }
  return ends;
}

function inverses(transaction: Transaction): StateEffect<unknown>[] {
  const before = transaction.startState.field(field);
  if (transaction.effects.some((effect) => effect.is(setEnds))) {
    return [setEnds.of(before)];
  }
  return transaction.docChanged ? lostEnds(before, transaction.changes).map((lost) => putBack.of(lost)) : [];
}

function lostEnds({ others }: Ends, changes: ChangeSet): OtherEnd[] {
  const lost: OtherEnd[] = [];
  changes.iterChangedRanges((from, to) => {
    others.between(from, to, (start, stop, { end }) => {
      if (start >= from && stop <= to) {
        lost.push({ at: start, end });
      }
    });
  });
  return lost;
}

function rangeAt(at: number, end: LineEnd): Range<EndValue> {
  return new EndValue(end).range(at, at + 1);
}
