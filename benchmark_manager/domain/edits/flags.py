"""Command line flags in lists of strings: `--flag=value`, or `--flag` and the item behind it."""

import json
import re
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.documents.nodes import Collection, Scalar, Slot

#: How an item begins that is a flag, and no negative number.
_BEGIN: Final = re.compile(r"--|-[A-Za-z]")
#: Halves of surrogate pairs, which JSON may escape, are in no path.
_NAME: Final = re.compile("--?[^\\s=\ud800-\udfff-][^\\s=\ud800-\udfff]*+")


@dataclass(frozen=True, slots=True)
class FlagValue:
    """Where the value of a flag is: in the item `slot`, behind `prefix`."""

    flag: str
    slot: Slot
    prefix: str

    @property
    def text(self) -> str:
        return _text(self.slot).removeprefix(self.prefix)


def flag_text(value: JsonValue) -> str:
    """Return a value as a command line has it: a string as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def flags_of(items: Collection) -> dict[str, list[FlagValue | None]]:
    """Find the flags in a sequence by name: their values, or None for each that stands alone."""
    flags: dict[str, list[FlagValue | None]] = {}
    for number, slot in enumerate(items.slots):
        text = _text(slot)
        match = _NAME.match(text) if _is_text(slot) else None
        if match is None or text[match.end() : match.end() + 1] not in {"", "="}:
            continue
        flag = match[0]
        is_joined = len(text) > len(flag)
        value = FlagValue(flag, slot, f"{flag}=") if is_joined else _behind(items, number, flag)
        flags.setdefault(flag, []).append(value)
    return flags


def _behind(items: Collection, number: int, flag: str) -> FlagValue | None:
    behind = items.slots[number + 1] if number + 1 < len(items.slots) else None
    if behind is None or not isinstance(behind.value, Scalar) or _BEGIN.match(_text(behind)):
        return None
    return FlagValue(flag, behind, "")


def _is_text(slot: Slot) -> bool:
    return isinstance(slot.value, Scalar) and slot.value.is_text


def _text(slot: Slot) -> str:
    return slot.value.text if isinstance(slot.value, Scalar) else ""
