"""Which files kustomize merges into others as patches, according to kustomizations above them.

Source: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath
from posixpath import normpath
from typing import Final

from benchmark_manager.domain.validation.schemas.config_schema import read_values
from benchmark_manager.domain.validation.texts.yaml_values import TooManyValuesError, Value
from benchmark_manager.domain.validation.validate import validate
from benchmark_manager.domain.validation.value_findings import OF_WHOLE_MANIFESTS
from benchmark_manager.domain.validation.values import mapping, sequence
from benchmark_manager.domain.yaml.events import BYTE_ORDER_MARK
from benchmark_manager.models.problem import Verdict

_NAMES: Final = ("kustomization.yaml", "kustomization.yml")
#: How many folders above a file may hold its kustomization.
_MOST_FOLDERS: Final = 20


def kustomizations_above(path: str, paths: Collection[str]) -> set[str]:
    """Return the kustomizations in a file's folder and in those above it."""
    folders = list(PurePosixPath(path).parents)[:_MOST_FOLDERS]
    return {str(folder / name) for folder in folders for name in _NAMES}.intersection(paths)


def is_patch(path: str, others: Mapping[str, str]) -> bool:
    """Return whether a kustomization among other files names a file as a patch.

    Args:
        path: the file's path from the repository's root.
        others: the contents of the other files by path.
    """
    wanted = PurePosixPath(path)
    return any(
        normpath(str(PurePosixPath(own).parent / named)) == str(wanted)
        for own, text in others.items()
        if own.rpartition("/")[2] in _NAMES
        for named in _patches(text)
    )


def _patches(text: str) -> Iterator[str]:
    body = text.removeprefix(BYTE_ORDER_MARK)
    if validate(body, "yaml").validity != "valid":
        return
    try:
        values = read_values(body, "yaml")
    except TooManyValuesError:
        return
    for value in values:
        named: list[Value] = [*sequence(mapping(value).get("patchesStrategicMerge"))]
        for member in ("patches", "patchesJson6902"):
            named += [mapping(patch).get("path") for patch in sequence(mapping(value).get(member))]
        # An entry with line ends is a patch itself, not a file's name.
        yield from (name for name in named if isinstance(name, str) and "\n" not in name)


def without_what_parts_lack(verdict: Verdict) -> Verdict:
    """Return the verdict without the problems that only whole manifests can have."""
    problems = tuple(
        problem for problem in verdict.problems if problem.code not in OF_WHOLE_MANIFESTS
    )
    return Verdict(validity=verdict.validity, problems=problems)
