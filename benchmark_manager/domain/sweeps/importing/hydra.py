"""Hydra's multi-runs: overrides as on its command line, or `hydra.sweeper.params` in YAML.

Source: facebookresearch/hydra, website/docs/advanced/override_grammar and tutorials/basic/
running_your_app/multi-run. The basic sweeper runs every combination, the last override fastest.
"""

import json
import re
from collections.abc import Iterator
from typing import Final

from benchmark_manager.domain.sweeps.given import GivenValue, check_size, is_json
from benchmark_manager.domain.sweeps.importing.hydra_functions import (
    Choices,
    HydraValueError,
    Result,
    TooManyChoicesError,
)
from benchmark_manager.domain.sweeps.importing.hydra_grammar import read_value
from benchmark_manager.domain.sweeps.importing.hydra_words import override_texts
from benchmark_manager.domain.sweeps.importing.tool_sweep import (
    ToolSweep,
    ToolValues,
    named_axes,
    note,
)
from benchmark_manager.domain.sweeps.limits import MOST_VALUES
from benchmark_manager.domain.sweeps.yaml_values import read_yaml
from benchmark_manager.models.sweep import SweepNote

_CONFIGURATION: Final = re.compile(r"^hydra[ \t]*:", re.MULTILINE)
_OVERRIDE: Final = re.compile(r"(~|\+{0,2})([^=~+\s][^=\s]*)(?:=(.*))?", re.DOTALL)
#: Hydra's own settings, which no file of a benchmark has.
_OWN: Final = ("hydra.", "hydra/")


def read_hydra(text: str) -> ToolSweep:
    """Return the sweep of overrides, or of a configuration in YAML.

    Raises:
        InvalidInputError: the text has another form.
        InvalidContentError: `invalid_yaml`.
    """
    notes: list[SweepNote] = []
    axes: dict[str, ToolValues] = {}
    for override in _overrides(text, notes):
        axis = _axis(override, notes)
        if axis is None:
            continue
        if axis.parameter in axes:
            notes.append(note("parameter_twice", axis.parameter))
            del axes[axis.parameter]
        axes[axis.parameter] = axis
    return ToolSweep("imported from Hydra", named_axes(list(axes.values())), notes=tuple(notes))


def _overrides(text: str, notes: list[SweepNote]) -> Iterator[str]:
    """Yield overrides, each `KEY=VALUE` with what is before the key."""
    if _CONFIGURATION.search(text) is None:
        for word in override_texts(text):
            if word.is_override:
                yield word.text
            else:
                notes.append(note("setting_ignored", word.text))
        return
    value = read_yaml(text, "text")
    check_size(value, "text")
    yield from _parameters(GivenValue(value, "text"), notes)


def _parameters(given: GivenValue, notes: list[SweepNote]) -> Iterator[str]:
    """Yield the overrides of `hydra.sweeper.params`, and note what else there is."""
    section = given
    for name in ("hydra", "sweeper", "params"):
        prefix = section.field.removeprefix("text").removeprefix(".")
        members = section.members()
        notes.extend(
            note("setting_ignored", f"{prefix}.{other}".removeprefix("."))
            for other in members
            if other not in {name, "mode"}
        )
        section = members.get(name) or GivenValue({}, f"{section.field}.{name}")
    for name, member in section.members().items():
        value = member.value
        yield f"{name}={value if isinstance(value, str) else json.dumps(value)}"


def _axis(override: str, notes: list[SweepNote]) -> ToolValues | None:
    """Return the axis of an override; None, and a note, where it cannot be taken over."""
    found = _OVERRIDE.fullmatch(override)
    if found is None or (found[1] != "~" and found[3] is None):
        notes.append(note("unreadable", override))
        return None
    sign, key, text = found[1], found[2], found[3] or ""
    if key.startswith(_OWN):
        notes.append(note("setting_ignored", key))
        return None
    try:
        values = _values("~" if sign == "~" else text)
    except HydraValueError as error:
        notes.append(_refusal(error, key, override))
        return None
    if not all(map(is_json, values.values)):
        notes.append(note("number_unheld", key))
        return None
    if any(isinstance(value, dict) for value in values.values):
        notes.append(note("objects_replaced", key))
    if values.shuffled:
        notes.append(note("order_kept", key))
    return ToolValues(key, key, values.values, may_be_absent=bool(sign))


def _refusal(error: HydraValueError, key: str, override: str) -> SweepNote:
    if isinstance(error, TooManyChoicesError):
        return note("too_many_values", key, limit=MOST_VALUES)
    if error.what:
        return note("not_supported", key, what=error.what)
    return note("unreadable", override)


def _values(text: str) -> Choices:
    """Return the values of an override.

    Raises:
        HydraValueError: it removes a key, has no value, or one that is no list of values.
    """
    if text == "~":
        raise HydraValueError("~")
    result: Result = read_value(text)
    values = result if isinstance(result, Choices) else Choices((result,))
    if not values.values:
        raise HydraValueError("[]")
    return values
