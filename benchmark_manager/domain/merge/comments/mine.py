"""My comments, made again in theirs' text beside the entries that they belong to.

Each comment of an entry that theirs, mine and (unless both added it) base have is merged on its
own: what only I changed is made, what both changed differently is a conflict, also where my comment
has no certain position in theirs. Comments inside what I added come with it.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, TypeAlias

from benchmark_manager.domain.documents.comments import Comment, Comments, Position, comments_of
from benchmark_manager.domain.documents.entry_lines import behind_lines, owns_line
from benchmark_manager.domain.documents.nodes import Collection, DocumentTree, Scalar, Slot
from benchmark_manager.domain.documents.paths import ROOT, Path, Step, children, shown
from benchmark_manager.domain.documents.splices import Splice
from benchmark_manager.domain.merge.comments.theirs import TheirComments, their_comments
from benchmark_manager.domain.merge.edits.plan import Pair, Plan
from benchmark_manager.domain.merge.text_merge import merge_text
from benchmark_manager.domain.text.line_differences import line_changes
from benchmark_manager.domain.text.lines import lines_with_ends
from benchmark_manager.models.merge import COMMENT_SUFFIX

Take: TypeAlias = str
"""A decision about the comments of an entry.

It is `theirs`, `mine`, or the comment itself, with its `#`.
"""

Decide: TypeAlias = Callable[[Path], Take | None]

_POSITIONS: Final[tuple[Position, ...]] = ("above", "head", "tail", "below", "inside", "end")
_LINES: Final = frozenset({"above", "below", "inside", "end"})

#: Behind a value, where a comment can follow.
_REST: Final = re.compile(r"[ \t]*+,?[ \t]*+(?=[\r\n]|\Z)")
#: Comments at longer paths are decided about together: a key may be half of the text, and above
#: thousands of comments.
_LONGEST_PATH: Final = 500

Texts: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CommentConflict:
    """Comments of one entry which both sides changed, or which have no position in theirs.

    `start` is where the entry begins in theirs, None where theirs has none.
    """

    path: str
    base: Texts
    theirs: Texts
    mine: Texts
    start: int | None


@dataclass(slots=True)
class CommentPlan:
    """What becomes of theirs' comments.

    `heads` are those behind the marks of block scalars which are replaced.
    """

    splices: list[Splice] = field(default_factory=list)
    heads: dict[Slot, Texts] = field(default_factory=dict)
    conflicts: list[CommentConflict] = field(default_factory=list)
    decided: set[str] = field(default_factory=set)
    """Paths of comments for which a decision was taken."""
    owners: set[Slot] = field(default_factory=set)
    """Entries of theirs and mine with these comments."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Comments of theirs which mine replace."""
    of_theirs: TheirComments = field(default_factory=TheirComments)


@dataclass(frozen=True)
class MyComments:
    """The comments of three texts, and which of mine are in lines that I changed."""

    base_tree: DocumentTree
    theirs_tree: DocumentTree
    mine_tree: DocumentTree

    @cached_property
    def base(self) -> Comments:
        return comments_of(self.base_tree)

    @cached_property
    def theirs(self) -> Comments:
        return comments_of(self.theirs_tree)

    @cached_property
    def mine(self) -> Comments:
        return comments_of(self.mine_tree)

    @cached_property
    def changed(self) -> frozenset[int]:
        """Return where comments of mine begin in lines that base does not have there."""
        starts = sorted(comment.start for some in self.mine.owned.values() for comment in some)
        if not starts:
            return frozenset()
        lines = lines_with_ends(self.mine_tree.text)
        bounds = [0]
        for line in lines:
            bounds.append(bounds[-1] + len(line))
        found: list[int] = []
        number = 0
        for change in line_changes(lines_with_ends(self.base_tree.text), lines):
            first, last = bounds[change.after_start], bounds[change.after_end]
            while number < len(starts) and starts[number] < last:
                if starts[number] >= first:
                    found.append(starts[number])
                number += 1
        return frozenset(found)

    @cached_property
    def commented(self) -> frozenset[Slot]:
        """Entries of mine with such comments, and the entries around them."""
        found: set[Slot] = set()
        for (owner, _), some in self.mine.owned.items():
            if owner is not None and any(comment.start in self.changed for comment in some):
                slot: Slot | None = owner
                while slot is not None and slot not in found:
                    found.add(slot)
                    slot = self.mine.parents[slot]
        return frozenset(found)

    def first_above(self, slot: Slot) -> int | None:
        """Return where the first comment begins that I wrote above an entry of mine."""
        return next((c.start for c in self.mine.at(slot, "above") if c.start in self.changed), None)

    def counted(self) -> Counter[str]:
        """Return how often each comment that I wrote has to be in a result, at least."""
        base, theirs, mine = (_texts(comments) for comments in (self.base, self.theirs, self.mine))
        written = {
            c.text for some in self.mine.owned.values() for c in some if c.start in self.changed
        }
        return Counter(
            {
                text: min(mine[text], theirs[text] + max(0, mine[text] - base[text]))
                for text in written
            }
        )

    def lost(
        self,
        outcome: DocumentTree,
        left_out: AbstractSet[Slot],
        made: "CommentPlan",
        known: Sequence[CommentConflict] = (),
    ) -> list[CommentConflict]:
        """Return the comments that are missing in a result.

        They are mine, except for known ones and those of what is left out, and theirs.
        """
        present = _texts(comments_of(outcome))
        reported = Counter(text for conflict in known for text in conflict.mine)
        missing = self.counted() - present - reported
        found: dict[str, list[str]] = {}
        for (owner, _), some in self.mine.owned.items():
            texts = [c.text for c in some if c.start in self.changed and missing[c.text] > 0]
            if texts and owner not in made.owners and not self._is_in(owner, left_out):
                found.setdefault(comment_path(self._path_of(owner)), []).extend(texts)
        lost = [CommentConflict(path, (), (), tuple(texts), None) for path, texts in found.items()]
        return [*lost, *self._lost_of_theirs(made.of_theirs.required - present, made.owners)]

    def _lost_of_theirs(
        self, missing: Counter[str], decided: AbstractSet[Slot | None]
    ) -> list[CommentConflict]:
        found: list[CommentConflict] = []
        for (owner, _), some in self.theirs.owned.items():
            texts = tuple(comment.text for comment in some if missing[comment.text] > 0)
            if texts and owner not in decided:
                path = comment_path(self._path_of(owner, of_theirs=True))
                found.append(
                    CommentConflict(path, (), texts, (), None if owner is None else owner.start)
                )
        return found

    def _is_in(self, slot: Slot | None, slots: AbstractSet[Slot]) -> bool:
        # The whole text is a slot around all others, and that of none of them.
        if any(each.value is self.mine_tree.stream for each in slots):
            return True
        while slot is not None and slot not in slots:
            slot = self.mine.parents[slot]
        return slot is not None

    def _path_of(self, wanted: Slot | None, *, of_theirs: bool = False) -> Path:
        """Return the path of an entry of mine, or of theirs."""
        tree, comments = (
            (self.theirs_tree, self.theirs) if of_theirs else (self.mine_tree, self.mine)
        )
        chain: list[Slot] = []
        while wanted is not None:
            chain.append(wanted)
            wanted = comments.parents[wanted]
        path: Path = ()
        node = tree.stream
        for slot in reversed(chain):
            path = (*path, self._steps(tree, node)[slot])
            if not isinstance(slot.value, Collection):
                break
            node = slot.value
        return path

    def _steps(self, tree: DocumentTree, node: Collection) -> Mapping[Slot, Step]:
        """Return what the entries of a collection are called, found once."""
        if node not in self._found_steps:
            parts = children((tree,), (node,)) or []
            self._found_steps[node] = {slot: step for step, (slot,) in parts if slot is not None}
        return self._found_steps[node]

    @cached_property
    def _found_steps(self) -> dict[Collection, Mapping[Slot, Step]]:
        return {}


def comment_path(path: Path) -> str:
    """Return what an entry's comments are called in a conflict, and in the decision about it."""
    return f"{ROOT if sum(map(len, path)) > _LONGEST_PATH else shown(path)}{COMMENT_SUFFIX}"


def _texts(comments: Comments) -> Counter[str]:
    return Counter(comment.text for some in comments.owned.values() for comment in some)


def plan_comments(
    comments: MyComments, plan: Plan, decide: Decide = lambda _path: None
) -> CommentPlan:
    """Merge the comments of all entries which three sides have, or which both added."""
    planner = _Planner(comments, plan, decide, CommentPlan())
    for pair in plan.pairs:
        planner.merge(pair)
    texts = (
        (comments.base_tree, comments.base),
        (comments.theirs_tree, comments.theirs),
        (comments.mine_tree, comments.mine),
    )
    planner.made.of_theirs = their_comments(texts, plan, planner.made.dropped)
    return planner.made


@dataclass(frozen=True, slots=True)
class _Planner:
    comments: MyComments
    plan: Plan
    decide: Decide
    made: CommentPlan

    def merge(self, pair: Pair) -> None:
        is_open = pair.theirs in self.plan.disputed
        decided = self.decide(pair.path)
        if is_open and decided is None:
            return
        if is_open and decided == "theirs":
            return
        conflicts: list[Position] = []
        replaces = any(self._is_written(pair, position) for position in _POSITIONS)
        for position in _POSITIONS:
            texts = self._texts(pair, position)
            if self._has_it_elsewhere(pair, position, texts[2]):
                continue
            wanted = _merged(*texts, replaces=replaces, is_line=position in _LINES)
            if wanted is not None and self._makes(pair, position, texts[1], wanted):
                continue
            if decided is not None:
                self.made.decided.add(comment_path(pair.path))
                self.made.owners.update((pair.theirs, pair.mine))
                taken = {"mine": texts[2], "theirs": texts[1]}
                wanted = taken[decided] if decided in taken else tuple(decided.splitlines())
                if self._makes(pair, position, texts[1], wanted):
                    continue
            conflicts.append(position)
        if conflicts:
            self._conflict(pair, conflicts)

    def _texts(self, pair: Pair, position: Position) -> tuple[Texts, Texts, Texts]:
        base = () if pair.base is None else self.comments.base.at(pair.base, position)
        sides = (
            base,
            self.comments.theirs.at(pair.theirs, position),
            self.comments.mine.at(pair.mine, position),
        )
        base_texts, theirs, mine = (tuple(comment.text for comment in side) for side in sides)
        if position in _LINES:
            # A line which I left alone may belong to another entry now, as I removed the one below
            # it.
            own = self.comments.changed
            mine = tuple(
                comment.text
                for comment in sides[2]
                if comment.start in own or comment.text in base_texts
            )
        return base_texts, theirs, mine

    def _has_it_elsewhere(self, pair: Pair, position: Position, mine: Texts) -> bool:
        """Return whether theirs has my comment elsewhere in its line.

        It may be behind the value instead of the key, or before it.
        """
        other: Position | None = (
            "tail" if position == "head" else "head" if position == "tail" else None
        )
        if not mine or other is None or pair.theirs in self.plan.replaced:
            return False
        return mine == tuple(
            comment.text for comment in self.comments.theirs.at(pair.theirs, other)
        )

    def _is_written(self, pair: Pair, position: Position) -> bool:
        return any(
            comment.start in self.comments.changed
            for comment in self.comments.mine.at(pair.mine, position)
        )

    def _conflict(self, pair: Pair, positions: Sequence[Position]) -> None:
        sides = [self._texts(pair, position) for position in positions]
        base, theirs, mine = (
            tuple(text for side in sides for text in side[number]) for number in range(3)
        )
        self.made.conflicts.append(
            CommentConflict(comment_path(pair.path), base, theirs, mine, pair.theirs.start)
        )

    def _makes(self, pair: Pair, position: Position, old: Texts, new: Texts) -> bool:
        """Plan the change of theirs' text; False where there is no certain position."""
        return new == old or self._write(pair, position, old, new)

    def _write(self, pair: Pair, position: Position, old: Texts, new: Texts) -> bool:
        tree = self.comments.theirs_tree
        slot = pair.theirs
        if slot in self.plan.replaced and self._comes_with_value(pair, position):
            if position == "head" and _is_block_scalar(slot) and _is_block_scalar(pair.mine):
                self.made.heads[slot] = new
            return True
        here = self.comments.theirs.at(slot, position)
        if old:
            splices = (
                _lines_changed(tree, here, new)
                if position in _LINES
                else _behind_changed(tree, here, new)
            )
        elif position in _LINES:
            splices = self._new_lines(pair, position, new)
        else:
            splices = _new_behind(tree, slot, new, is_replaced=slot in self.plan.replaced)
        if splices is None:
            return False
        self.made.dropped += Counter(old) - Counter(new)
        self.made.splices += splices
        return True

    def _comes_with_value(self, pair: Pair, position: Position) -> bool:
        """Return whether comments there are part of the value that mine has instead of theirs."""
        if position == "below":
            return any(
                isinstance(v, Collection) and v.is_block
                for v in (pair.theirs.value, pair.mine.value)
            )
        return position in {"head", "inside"}

    def _new_lines(self, pair: Pair, position: Position, new: Texts) -> list[Splice] | None:
        tree, slot = self.comments.theirs_tree, pair.theirs
        column = tree.lines.column(slot.start)
        if position == "above":
            at = tree.lines.start(slot.start)
            if tree.text[at : slot.start].strip(" \t"):
                return None
            return [
                Splice(
                    at,
                    at,
                    "".join(f"{tree.text[at : slot.start]}{text}{tree.line_end}" for text in new),
                )
            ]
        if position == "inside" or (
            position == "below" and (slot.in_flow or not owns_line(tree, slot))
        ):
            return None
        if position == "below":
            mine = self.comments.mine_tree
            first = self.comments.mine.at(pair.mine, position)[0]
            column += max(1, mine.lines.column(first.start) - mine.lines.column(pair.mine.start))
            at = behind_lines(tree, slot)
        else:
            at = tree.lines.next_line(slot.value.end)
        lines = tree.line_end.join(f"{' ' * column}{text}" for text in new)
        is_open = at == len(tree.text) and not tree.text.endswith(("\n", "\r"))
        return [Splice(at, at, tree.line_end + lines if is_open else lines + tree.line_end)]


def _merged(
    base: Texts, theirs: Texts, mine: Texts, *, replaces: bool, is_line: bool
) -> Texts | None:
    """Return the comments at one position after both changes; None where a person must decide.

    `replaces` says that I wrote another one elsewhere at the entry; else one that I only removed
    stays, as theirs has it.
    """
    if mine in {base, theirs}:
        return theirs
    if theirs == base:
        return mine if mine or replaces else theirs
    if not mine:
        return theirs
    if not is_line or not base or not theirs:
        return None
    content = merge_text(
        *("".join(f"{text}\n" for text in texts) for texts in (base, theirs, mine))
    ).content
    return None if content is None else tuple(content.splitlines())


def _is_block_scalar(slot: Slot) -> bool:
    return isinstance(slot.value, Scalar) and slot.value.is_block


def _behind_changed(tree: DocumentTree, old: Sequence[Comment], new: Texts) -> list[Splice] | None:
    """Return splices of comments behind values; where one goes, so do the blanks before it."""
    if len(old) != 1 or len(new) > 1:
        return None
    start = old[0].start
    if not new:
        start = len(tree.text[tree.lines.start(start) : start].rstrip(" \t")) + tree.lines.start(
            start
        )
    return [Splice(start, old[0].end, "".join(new))]


def _new_behind(
    tree: DocumentTree, slot: Slot, new: Texts, *, is_replaced: bool
) -> list[Splice] | None:
    if len(new) != 1 or tree.file_format == "json":
        return None
    # A block has it in its first line, other values behind them, wherever mine has it.
    node = slot.value
    is_block = node.is_block and not is_replaced
    start = slot.gap if is_block else slot.end
    at = tree.lines.end(start)
    if is_block:
        is_below = isinstance(node, Collection) and bool(node.slots) and node.slots[0].start > at
        if "#" in tree.text[start:at] or not (is_below or _is_block_scalar(slot)):
            return None
    elif not _REST.match(tree.text, start):
        return None
    elif not slot.in_flow:
        at = start
    blanks = "" if tree.text[at - 1 : at] in {" ", "\t"} else "  "
    return [Splice(at, at, blanks + new[0])]


def _lines_changed(tree: DocumentTree, old: Sequence[Comment], new: Texts) -> list[Splice]:
    """Return the splices of comment lines which replace those that changed."""
    before = [comment.text for comment in old]
    first = next(
        (n for n, pair in enumerate(zip(before, new, strict=False)) if pair[0] != pair[1]),
        min(len(before), len(new)),
    )
    most = min(len(before), len(new)) - first
    last = next((n for n in range(most) if before[-1 - n] != new[-1 - n]), most)
    gone, come = old[first : len(old) - last], new[first : len(new) - last]
    near = old[first] if first < len(old) else old[-1]
    indent = tree.text[tree.lines.start(near.start) : near.start]
    if gone and come:
        return [Splice(gone[0].start, gone[-1].end, f"{tree.line_end}{indent}".join(come))]
    if gone:
        return [
            Splice(tree.lines.start(comment.start), tree.lines.next_line(comment.start), "")
            for comment in gone
        ]
    if first < len(old):
        at = tree.lines.start(near.start)
        return [Splice(at, at, "".join(f"{indent}{text}{tree.line_end}" for text in come))]
    return [Splice(near.end, near.end, "".join(f"{tree.line_end}{indent}{text}" for text in come))]
