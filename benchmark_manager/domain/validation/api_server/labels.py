"""Rules for labels and selectors of them.

Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
"""

from typing import Final

from benchmark_manager.domain.validation.api_server import forms
from benchmark_manager.domain.validation.api_server.rules import (
    Field,
    Rule,
    Shape,
    each,
    known,
    labels,
    one_of,
)
from benchmark_manager.domain.validation.texts.yaml_values import Value
from benchmark_manager.domain.validation.values import mapping, sequence

#: How many values go with an operator: at least, at most.
_VALUES: Final[dict[str, tuple[int, int | None]]] = {
    **dict.fromkeys(("In", "NotIn"), (1, None)),
    **dict.fromkeys(("Exists", "DoesNotExist"), (0, 0)),
    **dict.fromkeys(("Gt", "Lt"), (1, 1)),
}


def _values_fit(value: Value, field: Field) -> None:
    operator, values = known(value, "operator"), sequence(mapping(value).get("values"))
    if not isinstance(operator, str) or operator not in _VALUES:
        return
    least, most = _VALUES[operator]
    if len(values) < least:
        field.require(
            "values", f"operator: {operator} needs {'one' if most == 1 else 'at least one'}."
        )
    elif most is not None and len(values) > most:
        count = "no value" if most == 0 else "one value"
        message = f"operator: {operator} takes {count}, not {len(values)}."
        field.child("values").refuse("fields_conflict", message)


def requirement(*operators: str, values: Rule = forms.LABEL_VALUE) -> Shape:
    """Return the shape of one requirement of a selector: key, operator, and values that fit it."""
    return Shape(
        {"key": forms.QUALIFIED_NAME, "operator": one_of(*operators), "values": each(values)},
        _values_fit,
    )


LABEL_SELECTOR: Final = Shape(
    {
        "matchLabels": labels,
        "matchExpressions": each(requirement("In", "NotIn", "Exists", "DoesNotExist")),
    }
)
