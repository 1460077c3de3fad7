"""The entry point: three texts in, one text or conflicts out."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from benchmark_manager.domain.documents.nodes import DocumentTree, Identities
from benchmark_manager.domain.documents.parse import most_values, try_parse
from benchmark_manager.domain.documents.paths import shown
from benchmark_manager.domain.documents.values import to_json
from benchmark_manager.domain.merge.comments.mine import CommentConflict, CommentPlan, plan_comments
from benchmark_manager.domain.merge.edits.excerpts import UnreplayableError
from benchmark_manager.domain.merge.edits.plan import Difference, Plan
from benchmark_manager.domain.merge.edits.replay import replay
from benchmark_manager.domain.merge.losses import loses_a_change
from benchmark_manager.domain.merge.references import is_doubtful, repeated
from benchmark_manager.domain.merge.text_merge import TextConflict, merge_text
from benchmark_manager.domain.merge.three_way import Trees, three_way
from benchmark_manager.domain.merge.verify import says
from benchmark_manager.domain.text.lines import line_end_of
from benchmark_manager.domain.validation import validate
from benchmark_manager.domain.yaml.events import BYTE_ORDER_MARK
from benchmark_manager.models.merge import Merge, MergeConflict, Side
from benchmark_manager.models.original import FileFormat

#: Texts which may have more values than this are merged by lines only: reading their trees, and
#: that of what comes out, would take seconds. Real files reach 2,200.
_MOST_VALUES: Final = 15_000
#: Whether such texts parse is checked as long as these values suffice, all checks together: some
#: 0.7 s.
_CHECKED_VALUES: Final = 350_000
_SIDES: Final[tuple[Side, ...]] = ("base", "theirs", "mine")
#: Characters of the paths of all differences; beyond them conflicts are of lines, which have none.
_MOST_PATHS: Final = 16_000_000


def merge(base: str, theirs: str, mine: str, file_format: FileFormat) -> Merge:
    """Merge the changes of its original into a variant. Never raises.

    Args:
        base: the original which mine was made from.
        theirs: the original as it is now.
        mine: the variant.
        file_format: the language of all three.

    Returns:
        The merge by lines where it is clean and, if all three texts parse, parses and loses no
        change of one side. Else my changes of keys, and my comments, made again in theirs' text,
        all else as theirs has it. Else the conflicts: by path, in the order of theirs, if all
        three parse; by lines if not. Texts of more than 15,000 values are merged by lines only;
        what comes out must parse where all three do. Where finding that out would take too long,
        there is a conflict of the whole texts.
    """
    if base == theirs:
        return Merge(outcome="nothing", content=mine)
    if mine in {base, theirs}:
        return Merge(outcome="text", content=theirs)
    if any(most_values(each) > _MOST_VALUES for each in (base, theirs, mine)):
        return _merge_large((base, theirs, mine), file_format)
    return _merge(base, theirs, mine, file_format)


def _merge(base: str, theirs: str, mine: str, file_format: FileFormat) -> Merge:
    text = merge_text(base, theirs, mine)
    keys = KeyMerge.of(base, theirs, mine, file_format)
    if keys is None:
        return _by_lines(text.content, text.conflicts)
    if text.content is not None and keys.admits(text.content):
        return Merge(outcome="text", content=text.content)
    content = keys.content()
    if content is not None:
        return Merge(outcome="keys", content=content)
    if keys.has_endless_paths():
        return _by_lines(None, text.conflicts or [TextConflict(base, theirs, mine, 1)])
    return Merge(outcome="conflict", content=None, conflicts=keys.conflicts())


def _merge_large(texts: tuple[str, str, str], file_format: FileFormat) -> Merge:
    text = merge_text(*texts)
    if text.content is None or _parses_if_all_do(text.content, texts, file_format):
        return _by_lines(text.content, text.conflicts)
    base, theirs, mine = texts
    return _by_lines(None, [TextConflict(base, theirs, mine, 1)])


def _parses_if_all_do(content: str, texts: tuple[str, str, str], file_format: FileFormat) -> bool:
    """Return whether `content` parses, or one of the texts that it came from does not.

    The result is False where that takes too long.
    """
    left = _CHECKED_VALUES
    for number, each in enumerate((content, *texts)):
        left -= most_values(each)
        if left < 0:
            return False
        parses = validate(each, file_format).validity == "valid"
        if parses == (number == 0):
            return True
    return False


def _by_lines(content: str | None, conflicts: Iterable[TextConflict]) -> Merge:
    if content is not None:
        return Merge(outcome="text", content=content)
    shown_conflicts = tuple(
        MergeConflict(path=None, base=c.base, theirs=c.theirs, mine=c.mine, line=c.line)
        for c in conflicts
    )
    return Merge(outcome="conflict", content=None, conflicts=shown_conflicts)


@dataclass(frozen=True)
class KeyMerge:
    """Three trees and the plan for them; `mark` is the byte order mark of theirs, if it has one."""

    trees: Trees
    mark: str
    identities: Identities = field(repr=False)

    @cached_property
    def plan(self) -> Plan:
        return three_way(self.trees)

    @cached_property
    def comments(self) -> CommentPlan:
        return plan_comments(self.trees.comments, self.plan)

    @classmethod
    def of(cls, base: str, theirs: str, mine: str, file_format: FileFormat) -> "KeyMerge | None":
        """None unless all three texts parse."""
        identities = Identities()
        trees = [try_parse(text, file_format, identities) for text in (base, theirs, mine)]
        found = [tree for tree in trees if tree is not None]
        if len(found) != len(trees):
            return None
        mark = BYTE_ORDER_MARK if theirs.startswith(BYTE_ORDER_MARK) else ""
        return cls(Trees(found[0], found[1], found[2], identities), mark, identities)

    def admits(self, content: str) -> bool:
        """Return whether a merge by lines parses and holds what both sides changed."""
        tree = self._parsed(content)
        trees = self.trees
        return tree is not None and not loses_a_change((trees.base, trees.theirs, trees.mine), tree)

    def content(self) -> str | None:
        """Return theirs' text with my changes; None where there is a conflict or a doubt."""
        if self.plan.conflicts or self._is_doubtful() or self.comments.conflicts:
            return None
        content, tree = self.replayed(self.plan, self.comments)
        return (
            None
            if tree is None or self.trees.comments.lost(tree, self.plan.left_out, self.comments)
            else content
        )

    def _is_doubtful(self) -> bool:
        return bool(self.plan.edits) and is_doubtful(self.trees)

    def replayed(self, plan: Plan, comments: CommentPlan) -> tuple[str, DocumentTree | None]:
        """Return theirs' text with the changes of a plan, and its tree.

        There is no tree where the text does not say exactly that.
        """
        try:
            content = self.mark + replay(plan, self.trees.theirs, comments)
        except UnreplayableError:
            return "", None
        # A block scalar which moves to the end of a file says less without a line end.
        endings = ("",) if content.endswith("\n") else ("", line_end_of(content))
        for ending in endings:
            tree = self._parsed(content + ending)
            if tree is not None and says(tree, plan):
                return content + ending, tree
        return "", None

    def _parsed(self, content: str) -> DocumentTree | None:
        """Return the tree of what came out; None also where an anchor occurs twice."""
        tree = try_parse(content, self.trees.theirs.file_format, self.identities)
        if tree is None or repeated([tree]) - repeated([self.trees.theirs, self.trees.mine]):
            return None
        return tree

    def has_endless_paths(self) -> bool:
        """Return whether the paths of all differences are too long to be shown.

        A key may be half of the text.
        """
        paths = (difference.path for difference in (*self.plan.edits, *self.plan.conflicts))
        comments = sum(len(conflict.path) for conflict in self.comments.conflicts)
        return comments + sum(len(step) for path in paths for step in path) > _MOST_PATHS

    def conflicts(self) -> tuple[MergeConflict, ...]:
        """Return what a person must decide.

        Without a conflict and without a certain merge, that is every change of mine.
        """
        comments = [*self.comments.conflicts, *self._lost()]
        differences = self.plan.conflicts or (() if comments else self.plan.edits)
        found = [(_position(difference), self._conflict(difference)) for difference in differences]
        paths = {conflict.path for _, conflict in found}
        for each in comments:
            if each.path not in paths:
                paths.add(each.path)
                found.append((_position_of(each), self._comment_conflict(each)))
        return tuple(conflict for _, conflict in sorted(found, key=lambda pair: pair[0]))

    def _lost(self) -> list[CommentConflict]:
        """Return comments that no part of the plan adds to theirs."""
        _, tree = self.replayed(self.plan, self.comments)
        if tree is None:
            return []
        return self.trees.comments.lost(
            tree, self.plan.left_out, self.comments, self.comments.conflicts
        )

    def _comment_conflict(self, conflict: CommentConflict) -> MergeConflict:
        sides = dict(zip(_SIDES, (conflict.base, conflict.theirs, conflict.mine), strict=True))
        base, theirs, mine = ("\n".join(texts) or None for texts in sides.values())
        return MergeConflict(
            path=conflict.path,
            base=base,
            theirs=theirs,
            mine=mine,
            absent=tuple(name for name, texts in sides.items() if not texts),
            line=None if conflict.start is None else _line(self.trees.theirs, conflict.start),
        )

    def _conflict(self, difference: Difference) -> MergeConflict:
        base, theirs, mine = difference.sides
        trees = self.trees
        values = [
            None if slot is None else to_json(tree, slot.value)
            for tree, slot in zip(
                (trees.base, trees.theirs, trees.mine), (base, theirs, mine), strict=True
            )
        ]
        return MergeConflict(
            path=shown(difference.path),
            base=values[0],
            theirs=values[1],
            mine=values[2],
            absent=tuple(
                name
                for name, slot in zip(_SIDES, (base, theirs, mine), strict=True)
                if slot is None
            ),
            line=None if theirs is None else _line(trees.theirs, theirs.start),
        )


def _line(tree: DocumentTree, index: int) -> int:
    return tree.lines.number(index)


def _position(difference: Difference) -> tuple[int, int]:
    """Return a sort key for the order of theirs; what theirs does not have comes last."""
    base, theirs, mine = difference.sides
    if theirs is not None:
        return 0, theirs.start
    return 1, next(slot.start for slot in (base, mine) if slot is not None)


def _position_of(conflict: CommentConflict) -> tuple[int, int]:
    return (2, 0) if conflict.start is None else (0, conflict.start)
