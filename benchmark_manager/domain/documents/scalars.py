"""What a scalar is to its readers.

A plain scalar such as `no` or `1e3` means different things to readers of YAML 1.1 and of YAML 1.2.
It is shown as PyYAML takes it, because that is what reads a benchmark's configuration, and close to
what Kubernetes' own tools do. Two plain scalars are equal only if readers of both versions agree
that they are: `no` and `false` are not.
"""

import math
import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

import yaml
from pydantic import JsonValue
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from benchmark_manager.domain.yaml import scalars as yaml_scalars
from benchmark_manager.domain.yaml.scalars import TAG_PREFIX

_TEXT: Final = f"{TAG_PREFIX}str"
_tag_of: Final[Callable[[type[yaml.Node], str, tuple[bool, bool]], str]] = Resolver().resolve
_CONSTRUCTOR: Final = SafeConstructor()
# The usual words and numbers, which all readers take alike; asked first because nearly all are of
# these forms.
_NO_WORD: Final = frozenset("0123456789+-.~=<!&*yYnNoOtTfF")
_WHOLE: Final = re.compile(r"0|-?[1-9][0-9]{0,15}")
# Converting longer digits takes quadratic time; they are shown as they are written.
_MAX_DIGITS: Final = 1000


@dataclass(frozen=True, slots=True)
class Reading:
    """What readers make of a scalar.

    `identity` differs where any reader sees a difference; `value` is JSON's, or the source where it
    has none.
    """

    identity: Hashable
    value: JsonValue
    is_text: bool = False


def read_text(text: str) -> Reading:
    """Read a scalar in quotes or a block scalar."""
    return Reading(("str", text), text, is_text=True)


def read_tagged(text: str, tag: str, source: str) -> Reading:
    """Read a scalar with a tag. Only `!!str` and `!` say what it is to every reader."""
    if tag in {"!", _TEXT}:
        return read_text(text)
    return Reading((tag, text), source)


def read_plain(text: str) -> Reading:
    """Read a plain scalar of YAML."""
    if text and text[0] not in _NO_WORD:
        return read_text(text)
    if _WHOLE.fullmatch(text):
        return Reading((f"{TAG_PREFIX}int", text, ("int", text)), int(text))
    return _read_unusual(text)


def _read_unusual(text: str) -> Reading:
    tag = _tag_of(yaml.ScalarNode, text, (True, False))
    newer = yaml_scalars.resolve(text)
    if tag == _TEXT and newer[0] == "str":
        return read_text(text)
    value = _converted(tag, text)
    shown = text if value is None and tag != f"{TAG_PREFIX}null" else value
    # Without a value of PyYAML's, such as a date, the spelling itself is compared.
    older = text if isinstance(shown, str) else repr(value)
    return Reading((tag, older, newer), shown)


def read_json(text: str) -> Reading:
    """Read a number or a word of JSON."""
    kind, spelling = yaml_scalars.resolve(text)
    value = _converted(TAG_PREFIX + kind, text, is_json=True)
    return Reading((kind, spelling), text if value is None and kind != "null" else value)


def _converted(tag: str, text: str, *, is_json: bool = False) -> JsonValue:
    """Return the value as PyYAML makes it; None for null, and for what JSON cannot hold."""
    if len(text) > _MAX_DIGITS:
        return None
    node = yaml.ScalarNode(tag, text)
    try:
        match tag.removeprefix(TAG_PREFIX):
            case "bool":
                return bool(_CONSTRUCTOR.construct_yaml_bool(node))
            case "int":
                return int(text if is_json else _CONSTRUCTOR.construct_yaml_int(node))
            case "float":
                number = float(text if is_json else _CONSTRUCTOR.construct_yaml_float(node))
                return number if math.isfinite(number) else None
            case _:
                return None
    except (ValueError, OverflowError):
        # `0x_` has the form of a number to PyYAML's resolver, and is none to its constructor.
        return None
