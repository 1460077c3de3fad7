"""Kubernetes' quantities: `500m`, `64Gi`, `1e3`.

Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

import re
from decimal import Decimal
from typing import Final

from benchmark_manager.domain.validation.findings import excerpt
from benchmark_manager.domain.validation.texts.yaml_values import Value

_QUANTITY: Final = re.compile(
    r"(?P<number>[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))"
    r"(?:(?P<suffix>[KMGTPE]i|[numkMGTPE])|[eE](?P<exponent>[-+]?[0-9]{1,3}))?"
)
_BINARY: Final = "KMGTPE"
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
# Longer than any amount that a person means; the API server cuts such numbers.
_MAX_LENGTH: Final = 100


def parse_quantity(value: Value) -> Decimal | None:
    """Return the amount that a value of a manifest stands for, or None if it is not a quantity."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    text = value if isinstance(value, str) else str(value)
    match = _QUANTITY.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if match is None:
        return None
    number, suffix, exponent = Decimal(match["number"]), match["suffix"], match["exponent"]
    if exponent is not None:
        return number.scaleb(int(exponent))
    if suffix is None:
        return number
    if suffix.endswith("i"):
        return number * Decimal(1024 ** (_BINARY.index(suffix[0]) + 1))
    return number.scaleb(_DECIMAL[suffix])


def no_quantity(value: Value, name: str) -> str:
    """Return the message about a field, by its name, whose value is not a quantity."""
    shown = excerpt(str(value))
    return f"{shown} is not a quantity for {name}; write it like 500m, 2, 64Gi or 1e3."
