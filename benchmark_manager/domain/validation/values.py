"""Reading values of documents, whatever their types turn out to be."""

from typing import Final

from benchmark_manager.domain.validation.findings import excerpt
from benchmark_manager.domain.validation.texts.yaml_values import Path, Value

_MAX_PATH: Final = 120


def mapping(value: Value) -> dict[str, Value]:
    """Return the value if it is a mapping, else an empty one: the schema reports wrong types."""
    return value if isinstance(value, dict) else {}


def sequence(value: Value) -> list[Value]:
    return value if isinstance(value, list) else []


def shown(path: Path) -> str:
    """Write a path as people do, `spec.containers[0].image`; of a very long one, its end."""
    parts = [f"[{step}]" if isinstance(step, int) else f".{excerpt(step)}" for step in path]
    text = "".join(parts).removeprefix(".")
    return text if len(text) <= _MAX_PATH else f"…{text[-_MAX_PATH:]}"
