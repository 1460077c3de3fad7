"""A person's decisions about conflicts, carried out."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.documents.nodes import Collection, DocumentTree, Slot
from benchmark_manager.domain.documents.parse import try_parse
from benchmark_manager.domain.documents.paths import Path, shown
from benchmark_manager.domain.documents.scalars import read_plain
from benchmark_manager.domain.documents.values import to_json
from benchmark_manager.domain.merge.comments.mine import Take, comment_path, plan_comments
from benchmark_manager.domain.merge.edits.plan import Added, Difference
from benchmark_manager.domain.merge.errors import (
    MergeImpossibleError,
    MergeResolutionError,
    MergeUnresolvedError,
)
from benchmark_manager.domain.merge.merge import KeyMerge, merge
from benchmark_manager.domain.merge.text_merge import merge_text
from benchmark_manager.domain.merge.three_way import Chosen, three_way
from benchmark_manager.models.merge import Resolution
from benchmark_manager.models.original import FileFormat

_UNSURE: Final = frozenset(",[]{}#&*!|>'\"%@`:\n\r\t\\")


def resolve(
    base: str, theirs: str, mine: str, file_format: FileFormat, resolutions: Sequence[Resolution]
) -> str:
    """Return the merged text with a decision for each conflict of `merge`.

    A decision names its conflict by path; those without a path are for the conflicts of lines, in
    their order. `value` writes a JSON value, in YAML without its comments. Where `merge` finds no
    conflict, no decisions give its content.

    Raises:
        MergeUnresolvedError: conflicts are left.
        MergeResolutionError: a path is no conflict or named twice, or the value cannot be written.
        MergeImpossibleError: what was decided cannot be written with certainty.
    """
    merged = merge(base, theirs, mine, file_format)
    _check(resolutions, [conflict.path for conflict in merged.conflicts])
    if merged.content is not None:
        return merged.content
    keys = (
        None if merged.conflicts[0].path is None else KeyMerge.of(base, theirs, mine, file_format)
    )
    if keys is None:
        return _by_lines(
            (base, theirs, mine), [resolution.take == "mine" for resolution in resolutions]
        )
    content = _by_keys(keys, {resolution.path or "": resolution for resolution in resolutions})
    if content is None:
        raise MergeImpossibleError
    return content


def _check(resolutions: Sequence[Resolution], conflicts: Sequence[str | None]) -> None:
    left = Counter(conflicts)
    for resolution in resolutions:
        if resolution.path not in left:
            raise MergeResolutionError(resolution.path, "not_in_conflict")
        if not left[resolution.path]:
            raise MergeResolutionError(resolution.path, "decided_before")
        if resolution.path is None and resolution.take == "value":
            raise MergeResolutionError(None, "have_no_value")
        left[resolution.path] -= 1
    if any(left.values()):
        raise MergeUnresolvedError(list(left.elements()))


def _by_lines(texts: tuple[str, str, str], takes_mine: Sequence[bool]) -> str:
    """Write each decision into both sides, so that they agree, and merge again.

    A conflict has its line in theirs only: the merge with the sides exchanged has the same
    conflicts, and has their lines in mine.
    """
    base, theirs, mine = texts
    forth, back = merge_text(base, theirs, mine).conflicts, merge_text(base, mine, theirs).conflicts
    # A text which lines alone merge, but which does not parse then, has no conflict of lines to
    # decide.
    if len(forth) != len(takes_mine) or [(c.theirs, c.mine) for c in forth] != [
        (c.mine, c.theirs) for c in back
    ]:
        raise MergeImpossibleError
    chosen = [c.mine if take else c.theirs for c, take in zip(forth, takes_mine, strict=True)]
    agreed_theirs = _with_lines(
        theirs, [(c.line, c.theirs, text) for c, text in zip(forth, chosen, strict=True)]
    )
    agreed_mine = _with_lines(
        mine, [(c.line, c.theirs, text) for c, text in zip(back, chosen, strict=True)]
    )
    content = merge_text(base, agreed_theirs, agreed_mine).content
    if content is None:
        raise MergeImpossibleError
    return content


def _with_lines(text: str, changes: Sequence[tuple[int, str, str]]) -> str:
    """Replace whole lines: each change is a line from 1, what stands there, and what shall."""
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    pieces: list[str] = []
    at = 0
    for line_number, old, new in changes:
        start = min(starts[line_number - 1], len(text))
        pieces += (text[at:start], new)
        at = start + len(old)
    return "".join([*pieces, text[at:]])


def _by_keys(keys: KeyMerge, decisions: Mapping[str, Resolution]) -> str | None:
    def choose(difference: Difference) -> Chosen | None:
        resolution = decisions.get(shown(difference.path))
        return None if resolution is None else _chosen(keys, difference, resolution)

    plan = three_way(keys.trees, choose)
    comments = plan_comments(keys.trees.comments, plan, lambda path: _comment(decisions, path))
    if plan.conflicts or comments.conflicts:
        return None
    content, tree = keys.replayed(plan, comments)
    if tree is None:
        return None
    # A comment is left out only by a decision about it.
    for lost in keys.trees.comments.lost(tree, plan.left_out, comments):
        decision = decisions.get(lost.path)
        is_left_out = decision is not None and decision.take == (
            "mine" if lost.theirs else "theirs"
        )
        if not is_left_out and lost.path not in comments.decided:
            return None
    return content


def _comment(decisions: Mapping[str, Resolution], path: Path) -> Take | None:
    """Return what was decided about the comments of an entry, or about its value.

    Other values have mine's comments.
    """
    if (value := decisions.get(shown(path))) is not None:
        return "theirs" if value.take == "theirs" else "mine"
    own = decisions.get(comment_path(path))
    if own is None or own.take != "value":
        return None if own is None else own.take
    lines = own.value.splitlines() if isinstance(own.value, str) else []
    if not lines or not all(line.startswith("#") and line.isprintable() for line in lines):
        raise MergeResolutionError(own.path, "comment")
    return str(own.value)


def _chosen(keys: KeyMerge, difference: Difference, resolution: Resolution) -> Chosen:
    base, theirs, mine = difference.sides
    if resolution.take == "theirs":
        return "theirs"
    if resolution.take == "mine":
        return "nothing" if mine is None else Added(keys.trees.mine, mine)
    for tree, slot in (
        (keys.trees.theirs, theirs),
        (keys.trees.mine, mine),
        (keys.trees.base, base),
    ):
        if slot is not None:
            return _written(keys, resolution, tree, slot)
    raise MergeImpossibleError


def _written(keys: KeyMerge, resolution: Resolution, tree: DocumentTree, slot: Slot) -> Added:
    """Return a JSON value as an entry of its own small text, under the key of an existing entry."""
    file_format = keys.trees.theirs.file_format
    value = _spelled(resolution.value, resolution.path, is_yaml=file_format == "yaml")
    key = "" if slot.key is None else f"{tree.source(slot.key)}: "
    text = f"{{{key}{value}}}" if key else f"[{value}]"
    small = try_parse(text, file_format, keys.identities)
    top = None if small is None else small.stream.slots[0].value
    if small is None or not isinstance(top, Collection) or len(top.slots) != 1:
        raise MergeResolutionError(resolution.path, "not_writable")
    if _differs(to_json(small, top.slots[0].value), resolution.value):
        raise MergeResolutionError(resolution.path, "read_differently")
    return Added(small, top.slots[0])


def _spelled(value: JsonValue, path: str | None, *, is_yaml: bool) -> str:
    """JSON, which is YAML between brackets; a simple string of YAML stands without quotes."""
    if is_yaml and isinstance(value, str) and _is_simple(value):
        return value
    try:
        spelled = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError):
        raise MergeResolutionError(path, "not_json") from None
    # YAML 1.1 takes a number with an exponent but without a dot, such as 1e+16, as text.
    return _with_dot(value) if is_yaml and isinstance(value, float) else spelled


def _is_simple(text: str) -> bool:
    if (
        not text.isprintable()
        or not _UNSURE.isdisjoint(text)
        or text != text.strip()
        or text[:1] in "-?."
    ):
        return False
    return read_plain(text).is_text


def _with_dot(value: float) -> str:
    mantissa, exponent, power = repr(value).partition("e")
    return f"{mantissa}{'' if '.' in mantissa or not exponent else '.0'}{exponent}{power}"


def _differs(read: JsonValue, given: JsonValue) -> bool:
    """Return whether two JSON values differ; Python alone holds 1, 1.0 and true for equal."""
    return json.dumps(read, sort_keys=True) != json.dumps(given, sort_keys=True)
