"""Three trees side by side.

Which changes of mine are made in theirs, and where a person must decide.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

from benchmark_manager.domain.documents.nodes import (
    Collection,
    DocumentTree,
    Identities,
    Slot,
)
from benchmark_manager.domain.documents.paths import (
    Path,
    Step,
    children,
    documents,
    item_step,
    named_documents,
    named_items,
    side_by_side,
)
from benchmark_manager.domain.merge.comments.mine import MyComments
from benchmark_manager.domain.merge.edits.plan import (
    Added,
    Difference,
    Kept,
    Pair,
    Part,
    Plan,
    Removed,
    Sides,
)
from benchmark_manager.domain.merge.edits.quotes import requoted
from benchmark_manager.domain.merge.list_changes import remaining_hunks, same_items
from benchmark_manager.domain.merge.lists import ListHunk, align, positions
from benchmark_manager.domain.merge.renames import under_first_names

Chosen: TypeAlias = Added | Literal["theirs", "nothing"]
"""What is to be at a position: a part from elsewhere, what theirs has there, nothing."""

Choose: TypeAlias = Callable[[Difference], Chosen | None]
"""A person's decision about a difference; None where there is none."""


@dataclass(frozen=True)
class Trees:
    """The trees of the three texts, read with the same `identities`."""

    base: DocumentTree
    theirs: DocumentTree
    mine: DocumentTree
    identities: Identities = field(repr=False)

    @cached_property
    def comments(self) -> MyComments:
        return MyComments(self.base, self.theirs, self.mine)


def three_way(trees: Trees, choose: Choose = lambda _difference: None) -> Plan:
    """Decide about every position at which mine or both differ from base.

    What mine changed and theirs did not is made; what theirs changed stays; what both changed is
    compared part by part, and is a conflict where neither the keys of two mappings nor the items of
    two lists distinguish the changes. Without exception the plan is the same, whichever side is
    called mine, except for the order of what both added.
    """
    root = _whole(trees.theirs)
    walker = _Walker(trees, choose, Plan(root))
    walker.run(_whole(trees.base), root, _whole(trees.mine))
    return walker.plan


@dataclass(slots=True)
class _Walker:
    trees: Trees
    choose: Choose
    plan: Plan
    pending: list[tuple[Path, Slot, Slot, Slot]] = field(default_factory=list)

    def run(self, base: Slot, theirs: Slot, mine: Slot) -> None:
        self.pending.append(((), base, theirs, mine))
        while self.pending:
            self._visit(*self.pending.pop())

    def _visit(self, path: Path, base: Slot, theirs: Slot, mine: Slot) -> None:
        """Walk a position which all three have."""
        known = base.value.identity
        is_same = mine.value.identity in {known, theirs.value.identity}
        commented = self.trees.comments.commented
        if is_same and (mine not in commented if path else not commented):
            return
        if path:
            self.plan.pairs.append(Pair(path, base, theirs, mine))
        sides = (base, theirs, mine)
        if not self._parts(path, *sides) and not is_same:
            self._replace(
                sides, Difference(path, sides), is_conflict=theirs.value.identity != known
            )

    def _parts(self, path: Path, base: Slot, theirs: Slot, mine: Slot) -> bool:
        """Decide part by part; False where only the whole can be decided."""
        values = [slot.value for slot in (base, theirs, mine)]
        nodes = [node for node in values if isinstance(node, Collection) and node.is_plain]
        if len(nodes) != len(values) or len({node.head for node in nodes}) != 1:
            return False
        both = theirs.value.identity != base.value.identity
        if not both and not (nodes[1].slots and nodes[2].slots):
            return False
        if nodes[0].kind == "mapping":
            return self._mapping(path, (base, theirs, mine), nodes, both=both)
        labels = _document_labels(nodes) if nodes[0].kind == "stream" else named_items(nodes)
        if labels is not None and (nodes[0].kind == "sequence" or _are_found_by_name(labels)):
            return self._named(path, theirs, labels)
        return self._listed(path, (base, theirs, mine), nodes)

    def _mapping(
        self, path: Path, sides: tuple[Slot, Slot, Slot], nodes: Sequence[Collection], *, both: bool
    ) -> bool:
        if both and not _same_merge_keys(nodes):
            return False
        trees = (self.trees.base, self.trees.theirs, self.trees.mine)
        parts = children(trees, nodes) or []
        self._children(path, sides[1], parts, mine_order=nodes[2].slots, is_ordered=False)
        return True

    def _named(self, path: Path, theirs: Slot, labels: list[dict[Step, Slot]]) -> bool:
        """Merge a list by names.

        Its order is theirs', unless mine has another than base: then no order is certain.
        """
        items = under_first_names(labels)
        if items is None:
            return False
        base, _, mine = items
        if [step for step in base if step in mine] != [step for step in mine if step in base]:
            return False
        self._children(
            path, theirs, side_by_side(items), mine_order=tuple(mine.values()), is_ordered=True
        )
        return True

    def _children(
        self,
        path: Path,
        owner: Slot,
        parts: Iterable[tuple[Step, Sequence[Slot | None]]],
        *,
        mine_order: tuple[Slot, ...],
        is_ordered: bool,
    ) -> None:
        in_theirs: dict[Slot, Slot] = {}
        removed: set[Slot] = set()
        added: dict[Slot, Added] = {}
        for step, (base, theirs, mine) in parts:
            if theirs is not None and mine is not None:
                in_theirs[mine] = theirs
            chosen = self._child((*path, step), (base, theirs, mine))
            if theirs is not None and chosen == "nothing":
                removed.add(theirs)
            elif theirs is None and mine is not None and isinstance(chosen, Added):
                added[mine] = chosen
        self.plan.parts[owner] = _placed(
            owner, removed, _anchored(mine_order, in_theirs, added, is_ordered=is_ordered)
        )

    def _child(self, path: Path, sides: Sides) -> Chosen:
        """Decide what becomes of one entry; an entry which stays may be compared later."""
        base, theirs, mine = sides
        if _equal(base, mine) or _equal(theirs, mine):
            self._commented(path, base, theirs, mine)
            return "theirs"
        if base is not None and theirs is not None and mine is not None:
            self.pending.append((path, base, theirs, mine))
            return "theirs"
        difference = Difference(path, sides)
        chosen = self._decided(difference, is_conflict=not _equal(base, theirs))
        if theirs is not None and isinstance(chosen, Added):
            self.plan.replaced[theirs] = chosen
        return chosen

    def _commented(
        self, path: Path, base: Slot | None, theirs: Slot | None, mine: Slot | None
    ) -> None:
        """Plan an entry in which only my comments are of interest."""
        if theirs is None or mine is None or mine not in self.trees.comments.commented:
            return
        if base is not None:
            self.pending.append((path, base, theirs, mine))
            return
        pending = [(path, theirs, mine)]
        while pending:
            path, theirs, mine = pending.pop()
            self.plan.pairs.append(Pair(path, None, theirs, mine))
            parts = children((self.trees.theirs, self.trees.mine), (theirs.value, mine.value)) or []
            pending += [
                ((*path, step), one, two)
                for step, (one, two) in parts
                if one is not None and two is not None and two in self.trees.comments.commented
            ]

    def _replace(
        self, slots: tuple[Slot, Slot, Slot], difference: Difference, *, is_conflict: bool
    ) -> None:
        trees = (self.trees.base, self.trees.theirs, self.trees.mine)
        chosen: Chosen | None = None
        if self.choose(difference) is None:
            chosen = requoted(trees, slots, self.trees.identities)
        if chosen is None:
            chosen = self._decided(difference, is_conflict=is_conflict)
        else:
            self.plan.edits.append(difference)
        if isinstance(chosen, Added):
            self.plan.replaced[slots[1]] = chosen

    def _decided(self, difference: Difference, *, is_conflict: bool) -> Chosen:
        """Note the difference, and return what is done there."""
        theirs, mine = difference.sides[1:]
        chosen = self.choose(difference)
        if is_conflict and theirs is not None:
            self.plan.disputed.add(theirs)
        is_mine = isinstance(chosen, Added) and chosen.slot is mine
        if mine is not None and not is_mine and (is_conflict or chosen is not None):
            self.plan.left_out.add(mine)
        (self.plan.conflicts if is_conflict and chosen is None else self.plan.edits).append(
            difference
        )
        if chosen is not None:
            return chosen
        if is_conflict:
            return "theirs"
        if mine is None:
            return "nothing"
        return Added(self.trees.mine, mine, self.trees.comments.first_above(mine))

    def _listed(
        self, path: Path, sides: tuple[Slot, Slot, Slot], nodes: Sequence[Collection]
    ) -> bool:
        """Merge a list by its items' positions, or documents without names."""
        ids = [[slot.value.identity for slot in node.slots] for node in nodes]
        theirs = align(ids[0], ids[1], same_items(nodes[0], nodes[1]))
        mine = align(ids[0], ids[2], same_items(nodes[0], nodes[2]))
        remaining = remaining_hunks(ids, theirs, mine)
        if remaining is None:
            return False
        gaps = positions(theirs, len(ids[0]))
        self._replay_hunks(path, sides[1], nodes, (gaps, remaining))
        self._commented_items(path, nodes, gaps, (theirs, mine))
        return True

    def _commented_items(
        self,
        path: Path,
        nodes: Sequence[Collection],
        gaps: Sequence[int],
        hunks: tuple[list[ListHunk], list[ListHunk]],
    ) -> None:
        """Plan the items which I left as they were except for a comment."""
        base, theirs, mine = nodes
        if not any(slot in self.trees.comments.commented for slot in mine.slots):
            return
        gone = {i for hunk in hunks[0] if not hunk.in_place for i in range(hunk.start, hunk.end)}
        own = {i for hunk in hunks[1] for i in range(hunk.start, hunk.end)}
        in_mine = positions(hunks[1], len(base.slots))
        for number, slot in enumerate(base.slots):
            if number not in gone and number not in own:
                index = gaps[number + 1] - 1
                step = (*path, _item_step(theirs, index))
                self._commented(
                    step, slot, theirs.slots[index], mine.slots[in_mine[number + 1] - 1]
                )

    def _replay_hunks(
        self,
        path: Path,
        owner: Slot,
        nodes: Sequence[Collection],
        where: tuple[list[int], list[ListHunk]],
    ) -> None:
        """Make mine's hunks in theirs, none of which theirs touched, except items that stay."""
        base, theirs, mine = nodes
        gaps, hunks = where
        removed: set[Slot] = set()
        added: dict[Slot | None, list[Added]] = {}
        for hunk in hunks:
            olds, news = range(hunk.start, hunk.end), range(hunk.other_start, hunk.other_end)
            if len(olds) == len(news):
                for old, new in zip(olds, news, strict=True):
                    number = gaps[old + 1] - 1
                    step = _item_step(theirs, number)
                    self.pending.append(
                        ((*path, step), base.slots[old], theirs.slots[number], mine.slots[new])
                    )
                continue
            gone = [(base.slots[old], theirs.slots[gaps[old + 1] - 1]) for old in olds]
            new_ones = [mine.slots[new] for new in news]
            at = gaps[hunk.end]
            before = theirs.slots[at - 1] if at else None
            removed |= self._gone(path, at - len(gone), gone)
            added.setdefault(before, []).extend(self._new(path, hunk.other_start, new_ones))
        self.plan.parts[owner] = _placed(owner, removed, added)

    def _gone(self, path: Path, first: int, slots: Sequence[tuple[Slot, Slot]]) -> set[Slot]:
        """Decide about items which I removed; return those of theirs that go."""
        differences = [
            Difference((*path, item_step(i)), (*pair, None)) for i, pair in enumerate(slots, first)
        ]
        decided = [self._decided(difference, is_conflict=False) for difference in differences]
        return {
            slot for (_, slot), chosen in zip(slots, decided, strict=True) if chosen == "nothing"
        }

    def _new(self, path: Path, first: int, slots: Sequence[Slot]) -> list[Added]:
        """Add new items; `[+2]` is the path of mine's item 2.

        No number in theirs would distinguish all new ones.
        """
        differences = [
            Difference((*path, f"[+{i}]"), (None, None, slot))
            for i, slot in enumerate(slots, first)
        ]
        decided = [self._decided(difference, is_conflict=False) for difference in differences]
        return [chosen for chosen in decided if isinstance(chosen, Added)]


def _document_labels(streams: Sequence[Collection]) -> list[dict[Step, Slot]] | None:
    # A single document is the same one whatever it is called: theirs may rename the Job which I
    # edit.
    if all(len(stream.slots) == 1 for stream in streams):
        return documents(streams)
    return named_documents(streams)


def _are_found_by_name(labels: Sequence[Mapping[Step, Slot]]) -> bool:
    """Return whether documents are found by their names.

    Mine has the names of base, or both sides added a document of one name.
    """
    base, theirs, mine = (side.keys() for side in labels)
    return base == mine or bool((theirs & mine) - base)


def _item_step(collection: Collection, number: int) -> Step:
    if collection.kind == "sequence":
        return item_step(number)
    return f"#{number + 1}" if len(collection.slots) > 1 else ""


def _whole(tree: DocumentTree) -> Slot:
    return Slot(tree.stream, 0, 0, 0)


def _equal(one: Slot | None, other: Slot | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.value.identity == other.value.identity


def _same_merge_keys(nodes: Sequence[Collection]) -> bool:
    """Return whether `<<` is the same everywhere.

    With another one, an added or removed entry means something else.
    """
    return (
        len({None if (slot := node.merge_key()) is None else slot.value.identity for node in nodes})
        == 1
    )


def _anchored(
    mine_order: tuple[Slot, ...],
    in_theirs: Mapping[Slot, Slot],
    added: Mapping[Slot, Added],
    *,
    is_ordered: bool,
) -> dict[Slot | None, list[Added]]:
    """Return behind which of theirs' parts each addition stands.

    None is the front of a list and the end of a mapping.
    """
    anchored: dict[Slot | None, list[Added]] = {}
    before: Slot | None = None
    for slot in mine_order:
        if slot in added:
            anchored.setdefault(before, []).append(added[slot])
        elif slot in in_theirs or not is_ordered:
            before = in_theirs.get(slot)
    return anchored


def _placed(
    owner: Slot, removed: AbstractSet[Slot], added: Mapping[Slot | None, list[Added]]
) -> list[Part]:
    """Return theirs' parts in their order, with what goes and what comes."""
    if not isinstance(owner.value, Collection):
        return []
    loose = added.get(None, [])
    at_end = owner.value.kind == "mapping"
    parts: list[Part] = [] if at_end else [*loose]
    for slot in owner.value.slots:
        parts.append(Removed(slot) if slot in removed else Kept(slot))
        parts += added.get(slot, [])
    return [*parts, *loose] if at_end else parts
