"""A person's decisions about the conflicts of a merge, as the form sends them."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from pydantic import JsonValue

from benchmark_manager.domain.text.strict_json import refuse_constant, unique_members
from benchmark_manager.models.merge import COMMENT_SUFFIX, MergeConflict, Resolution, Side
from benchmark_manager.web.site.forms import Form

Take = Literal["theirs", "mine", "base", "value"]

#: The most conflicts that a form decides; more must be decided in the merged text.
CONFLICTS_AT_MOST: Final = 1000
#: Conflicts on one page.
CONFLICTS_SHOWN: Final = 100
_TAKES: Final[dict[str, Take]] = {
    "theirs": "theirs",
    "mine": "mine",
    "base": "base",
    "value": "value",
}
_LONGEST_VALUE: Final = 100_000


@dataclass(frozen=True, slots=True)
class Decision:
    """A conflict and the choice, None while there is none; `key` identifies it in the form.

    `typed` is the content of the field for another value. With `is_wrong`, it is chosen and is not
    valid JSON.
    """

    key: str
    conflict: MergeConflict
    take: Take | None
    typed: str
    value: JsonValue = None
    is_wrong: bool = False
    #: The conflict's texts have changed since the person saw them.
    is_changed: bool = False

    @property
    def seen(self) -> str:
        """Return a digest of the conflict's texts."""
        conflict = self.conflict
        return _digest([conflict.base, conflict.theirs, conflict.mine, list(conflict.absent)])

    @property
    def is_of_lines(self) -> bool:
        return self.conflict.path is None

    @property
    def example(self) -> str:
        """Return the placeholder of the field for another value."""
        is_of_comments = (self.conflict.path or "").endswith(COMMENT_SUFFIX)
        return '"# …"' if is_of_comments else '512, "text", [1, 2]'

    @property
    def offers_base(self) -> bool:
        """Return whether the base can be chosen: it has to be a value, which lines are not."""
        return not self.is_of_lines and "base" not in self.conflict.absent

    @property
    def is_made(self) -> bool:
        return self.take is not None and not self.is_wrong

    @property
    def resolution(self) -> Resolution:
        """Return the resolution for the merge; "mine" while nothing is decided."""
        path = self.conflict.path
        if self.take == "theirs":
            return Resolution(path=path, take="theirs")
        if self.take == "base":
            return Resolution(path=path, take="value", value=self.conflict.base)
        if self.take == "value" and not self.is_wrong:
            return Resolution(path=path, take="value", value=self.value)
        return Resolution(path=path, take="mine")

    def side(self, name: Side) -> JsonValue:
        found: JsonValue = getattr(self.conflict, name)
        return found


def read_decisions(form: Form, conflicts: Sequence[MergeConflict]) -> tuple[Decision, ...]:
    """Return the form's decisions about these conflicts, and ignore those about others.

    Keys are identified by their path and lines by their texts, so that decisions are kept when
    other conflicts change.
    """
    seen: Counter[str] = Counter()
    decisions = []
    for conflict in conflicts:
        identity = _identity(conflict)
        seen[identity] += 1
        key = f"{identity}-{seen[identity]}"
        decision = _decision(form, key, conflict)
        decisions.append(
            replace(decision, is_changed=form.line(f"seen-{key}") not in {"", decision.seen})
        )
    return tuple(decisions)


def _identity(conflict: MergeConflict) -> str:
    known = (
        [conflict.path]
        if conflict.path is not None
        else [None, conflict.base, conflict.theirs, conflict.mine]
    )
    return _digest(known)


def _digest(known: object) -> str:
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()[:20]


def _decision(form: Form, key: str, conflict: MergeConflict) -> Decision:
    take = _TAKES.get(form.text(f"take-{key}"))
    typed = form.line(f"value-{key}")
    decision = Decision(key, conflict, take, typed)
    if (take == "base" and not decision.offers_base) or (take == "value" and decision.is_of_lines):
        return Decision(key, conflict, None, typed)
    if take != "value":
        return decision
    try:
        return Decision(key, conflict, take, typed, value=_json(typed))
    except (ValueError, RecursionError):
        return Decision(key, conflict, take, typed, is_wrong=True)


def _json(typed: str) -> JsonValue:
    if len(typed) > _LONGEST_VALUE:
        raise ValueError
    value: JsonValue = json.loads(
        typed, object_pairs_hook=unique_members, parse_constant=refuse_constant
    )
    # Half of a surrogate pair, written as an escape, cannot be stored.
    json.dumps(value, ensure_ascii=False).encode()
    return value
