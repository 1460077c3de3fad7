"""The values of plain scalars in Kubernetes, which has its own YAML 1.1, in YAML 1.2 and JSON."""

import json
import re
from typing import Final

from benchmark_manager.domain.validation.texts.yaml_values import Value
from benchmark_manager.domain.yaml.scalars import resolve

_WORDS: Final[dict[str, Value]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(
        ("true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True
    ),
    **dict.fromkeys(
        ("false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF"), False
    ),
}
_NUMBER_START: Final = frozenset("+-.0123456789")
_DECIMAL: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_BASED: Final = re.compile(r"([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+)")
_REAL: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_JSON_START: Final = frozenset("-0123456789tfn")
# Converting more digits takes quadratic time; no field of a manifest holds such a number.
_MAX_DIGITS: Final = 400


def kubernetes_value(text: str) -> Value:
    """Return a scalar's value as sigs.k8s.io/yaml reads it.

    `yes` is true, `012` is ten, `1_000` is a number; `1:30` and dates are text. A value that JSON
    does not have, such as `.inf`, stays text: the API server refuses both.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_START or len(text) > _MAX_DIGITS:
        return text
    digits = text if text[0] == "." else text.replace("_", "")
    if _DECIMAL.fullmatch(digits):
        return int(digits)
    based = _BASED.fullmatch(digits)
    if based is not None:
        return _based(based[1], based[2])
    return _finite(float(digits), text) if _REAL.fullmatch(digits) else text


def _based(sign: str, digits: str) -> int:
    # int() reads a number as octal only if its leading zero is followed by an `o`.
    spelt = digits if digits[1] in "xXbBoO" else f"0o{digits[1:]}"
    return int(sign + spelt, 0)


def _finite(value: float, text: str) -> float | str:
    return value if abs(value) < float("inf") else text


def _finite_float(digits: str) -> float | str:
    return _finite(float(digits), digits)


def core_value(text: str) -> Value:
    """Return a scalar's value in YAML 1.2's core schema; what JSON does not have stays text."""
    kind, value = resolve(text)
    if kind == "null":
        return None
    if kind == "bool":
        return value == "true"
    if kind == "int":
        return int(value) if len(value) <= _MAX_DIGITS else text
    if kind == "float" and value[-1:].isdigit():
        return _finite(float(value), text)
    return text


def json_value(text: str) -> Value:
    """Return the value of a JSON token without quotes."""
    if text[:1] not in _JSON_START or len(text) > _MAX_DIGITS:
        return text
    try:
        # Python also reads `-Infinity`, which is not JSON, and `1e999` as infinity.
        return json.loads(text, parse_constant=str, parse_float=_finite_float)
    except ValueError:
        return text
