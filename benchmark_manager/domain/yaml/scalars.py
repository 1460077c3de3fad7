"""What plain YAML scalars mean to readers of YAML 1.2 and of YAML 1.1.

Sources: YAML 1.2.2 section 10.3.2 (core schema); yaml.org/type (bool, int, float, timestamp) in
the form which the common YAML 1.1 readers use: a float needs a dot, and a sign in its exponent.
"""

import re
from datetime import date
from typing import Final, TypeAlias

Resolved: TypeAlias = tuple[str, str]
"""Kind (`null`, `bool`, `int`, `float`, `str` or a tag) and the value in one canonical spelling."""

TAG_PREFIX: Final = "tag:yaml.org,2002:"

_WORDS_12: Final[dict[str, Resolved]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), ("null", "")),
    **dict.fromkeys(("true", "True", "TRUE"), ("bool", "true")),
    **dict.fromkeys(("false", "False", "FALSE"), ("bool", "false")),
}
_WORDS_11: Final[dict[str, Resolved]] = {
    "=": ("default value", "="),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), ("bool", "true")),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), ("bool", "false")),
}

_INT_12: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT_12: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_INT_11: Final = re.compile(
    r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*(?::[0-5]?[0-9])*)",
)
_FLOAT_11: Final = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?"
    r"|[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*)",
)
# The usual numbers, which all readers take alike; asked first because nearly all are of this form.
_ORDINARY: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:(?:[Tt]|[ \t]+)[0-9].*)?")
# Some readers drop underscores first (Go's yaml.v3, ruamel.yaml), and accept capital prefixes.
_NUMBER_OF_SOME: Final = re.compile(
    r"[-+]?(?:0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+"
    r"|(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)",
)
_SIGNS_OF_NUMBERS: Final = frozenset(("", "+", "-", ".", "+.", "-."))
# Go's yaml.v3 needs one digit of each part.
_TIME_OF_SOME: Final = re.compile(
    r"[0-9]{4}(?:-[0-9]{1,2}){2}(?:(?:[Tt]|[ \t]+)[0-9]{1,2}(?::[0-9]{1,2}){2}.*)?"
)
_FIRST_OF_SOME: Final = frozenset("0123456789+-.")
# Longer digits are compared by their spelling: converting them would take quadratic time.
_MAX_DIGITS: Final = 1000

# First characters of all that is no string, and of the empty scalar; asked first because nearly all
# keys have others.
_SAYS_MORE: Final = frozenset(("", *"~nNtTfF0123456789+-."))

NOTEWORTHY: Final = frozenset("0123456789+-.yYnNoO=")
"""First characters of all plain scalars about which readers may disagree.

`difference`, `is_impossible_date` and `is_not_finite` find no others.
"""


def resolve(text: str) -> Resolved:
    """Return the meaning of a plain scalar without a tag in the core schema of YAML 1.2."""
    if text[:1] not in _SAYS_MORE:
        return "str", text
    if text in _WORDS_12:
        return _WORDS_12[text]
    if _INT_12.fullmatch(text):
        return "int", _integer(text, octal_prefix="0o")
    if _FLOAT_12.fullmatch(text):
        return "float", _real(text)
    if _NOT_FINITE.fullmatch(text):
        return "float", text.lower().lstrip("+")
    return "str", text


def resolve_tagged(text: str, tag: str) -> Resolved:
    """Return the meaning of a scalar with an explicit tag.

    `!!int "1"` equals `1`, `!!str 1` equals `"1"`.
    """
    if tag in {"!", f"{TAG_PREFIX}str"}:
        return "str", text
    kind, value = resolve(text)
    return (kind, value) if tag == f"{TAG_PREFIX}{kind}" else (tag, text)


def difference(text: str) -> str | None:
    """Return how readers of YAML 1.1 and of YAML 1.2 disagree about a plain scalar.

    The result is None if they agree.
    """
    if _ORDINARY.fullmatch(text):
        return None
    older, newer = _resolve_11(text), resolve(text)
    if older == newer:
        return None
    return f"{_shown(older)} to YAML 1.1 readers and {_shown(newer)} to YAML 1.2 readers"


def may_be_number_or_time(text: str) -> bool:
    """Return whether a reader may take a plain scalar for a number or a time, beyond the rules.

    It finds what the rules of both versions call text, and finds plain numbers as well.
    """
    if text[:1] not in _FIRST_OF_SOME:
        return False
    digits = text.replace("_", "")
    return (
        _NUMBER_OF_SOME.fullmatch(digits) is not None
        or (digits != text and digits in _SIGNS_OF_NUMBERS)
        or _TIME_OF_SOME.fullmatch(text) is not None
    )


def is_impossible_date(text: str) -> bool:
    """Return whether a plain scalar looks like a timestamp and is no day of the calendar.

    Source: yaml.org/type/timestamp.
    """
    match = _DATE.fullmatch(text)
    if match is None:
        return False
    try:
        date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return True
    return False


def is_not_finite(text: str) -> bool:
    return _NOT_FINITE.fullmatch(text) is not None


def _resolve_11(text: str) -> Resolved:
    if text in _WORDS_11:
        return _WORDS_11[text]
    if _INT_11.fullmatch(text):
        return "int", _integer_11(text.replace("_", ""))
    if _FLOAT_11.fullmatch(text):
        return "float", _real_11(text.replace("_", ""))
    kind, value = resolve(text)
    # What the newer schema alone calls a number is text to the older one.
    return (kind, value) if kind not in {"int", "float"} or is_not_finite(text) else ("str", text)


def _integer_11(text: str) -> str:
    if ":" in text:
        return _integer(str(int(_base_60(text))), octal_prefix="0o")
    digits = text.lstrip("+-")
    if digits.startswith("0b"):
        value = int(digits[2:] or "0", 2)
        return _decimal(f"{_sign(text)}{value}" if len(digits) < _MAX_DIGITS else text)
    return _integer(text, octal_prefix="0")


def _real_11(text: str) -> str:
    return repr(_base_60(text)) if ":" in text else _real(text)


def _base_60(text: str) -> float:
    value = 0.0
    for part in text.lstrip("+-").split(":"):
        value = min(value * 60 + float(part), 1e300)
    return -value if _sign(text) else value


def _integer(text: str, *, octal_prefix: str) -> str:
    digits = text.lstrip("+-")
    if len(digits) > _MAX_DIGITS:
        return _decimal(text)
    if digits.startswith("0x"):
        return _decimal(f"{_sign(text)}{int(digits[2:] or '0', 16)}")
    octal = digits.removeprefix(octal_prefix)
    if octal and octal != digits:
        return _decimal(f"{_sign(text)}{int(octal, 8)}")
    return _decimal(text)


def _decimal(text: str) -> str:
    digits = text.lstrip("+-").lstrip("0") or "0"
    return digits if digits == "0" else f"{_sign(text)}{digits}"


def _sign(text: str) -> str:
    return "-" if text.startswith("-") else ""


def _real(text: str) -> str:
    return repr(float(text))


def _shown(resolved: Resolved) -> str:
    kind, value = resolved
    if kind == "str":
        return "text"
    names = {"bool": "", "int": "the number ", "float": "the number ", "null": "null"}
    return f"{names.get(kind, kind + ' ')}{value[:40]}"
