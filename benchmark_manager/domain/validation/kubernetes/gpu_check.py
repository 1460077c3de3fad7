"""Check that a Job asks for as many GPUs as the settings that it names need."""

import re
from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from decimal import Decimal
from math import prod
from typing import Final

from benchmark_manager.domain.sync.classification import format_of
from benchmark_manager.domain.validation.findings import Findings, excerpt
from benchmark_manager.domain.validation.kubernetes.gpu_arguments import (
    DIMENSIONS,
    NotPlainError,
    counts_several,
    makes_it_unclear,
    mentions_size,
    stated_sizes,
    without_comments,
)
from benchmark_manager.domain.validation.kubernetes.manifest_lists import Manifest, manifests
from benchmark_manager.domain.validation.kubernetes.pod_check import containers
from benchmark_manager.domain.validation.kubernetes.quantities import parse_quantity
from benchmark_manager.domain.validation.kubernetes.workload_check import pod_spec
from benchmark_manager.domain.validation.schemas.config_schema import read_values
from benchmark_manager.domain.validation.texts.plain_values import kubernetes_value
from benchmark_manager.domain.validation.texts.yaml_values import (
    Path,
    TooManyValuesError,
    Value,
    build,
)
from benchmark_manager.domain.validation.validate import validate
from benchmark_manager.domain.validation.value_findings import ValueFindings
from benchmark_manager.domain.validation.values import mapping, sequence
from benchmark_manager.domain.yaml.events import BYTE_ORDER_MARK, prepare

_GPU: Final = "nvidia.com/gpu"
_KEYS: Final = {key: name for name in DIMENSIONS for key in (name, name.replace("_", "-"))}
#: Sections for servers that share the work of one.
_PARTS: Final = frozenset({"prefill", "decode"})
_WORD: Final = re.compile(r"[^\s\"'=,:;()\[\]{}<>|&]++")
_NAME_END: Final = re.compile(r"(?<=.)\.(?:ya?ml|json)(?![\w.])", re.IGNORECASE | re.DOTALL)
_MOST: Final = 10**6
#: The last parts of a path by which files of the same name are distinguished.
_DEEPEST: Final = 20
#: Files read for one Job; a Job that names more is not compared with any.
MAX_NAMED: Final = 8
MAX_SETTINGS: Final = 1_000_000
"""Characters of all settings that one manifest is compared with; a single file may have more."""


@dataclass(frozen=True, slots=True)
class _Use:
    """A container with GPUs, and the files of the project that it names."""

    path: Path
    document: int
    gpus: int
    pods: int
    container: dict[str, Value]
    named: tuple[str, ...] = ()


def named_files(text: str, path: str, paths: Collection[str]) -> set[str]:
    """Return the project's files that a manifest's containers with GPUs name."""
    return {name for use in _uses(_documents(text), path, paths) for name in use.named}


def check_gpus(
    text: str, path: str, others: Mapping[str, str], paths: Collection[str], findings: Findings
) -> None:
    """Compare each container's GPUs with its arguments, its variables and the settings it names.

    Args:
        text: a manifest that parses, without a byte order mark.
        path: its path from the repository's root.
        others: the contents, by path, of the files that `named_files` returned.
        paths: the paths of all files, which show whether a name is ambiguous.
        findings: collects the findings.
    """
    uses = list(_uses(_documents(text), path, paths))
    named = {name: others[name] for use in uses for name in use.named if name in others}
    if sum(len(content) for content in named.values() if _says_size(content)) > MAX_SETTINGS:
        return
    sizes = {name: _file_sizes(content, name) for name, content in named.items()}
    value_findings = ValueFindings()
    for use in uses:
        message = _mismatch(
            path, use, {name: sizes[name] for name in use.named if sizes.get(name, {}) != {}}
        )
        if message is not None:
            value_findings.begin(use.document, None)
            value_findings.add((*use.path, "resources", "limits", _GPU), "gpu_mismatch", message)
    value_findings.report(prepare(text).parsed, kubernetes_value, findings)


def _mismatch(path: str, use: _Use, files: Mapping[str, dict[str, int] | None]) -> str | None:
    """Return a message if a container has another number of GPUs than its settings need.

    `files` are the named ones that mention sizes, with these sizes, or None where they are unclear.
    """
    if len(files) != 1:
        return None
    [(name, in_file)] = files.items()
    if in_file is None:
        return None
    try:
        own = stated_sizes(use.container)
    except NotPlainError:
        return None
    sizes = in_file | own
    wanted = prod(sizes.values())
    if DIMENSIONS[0] not in sizes or wanted in {use.gpus, use.gpus * use.pods}:
        return None
    needs = "and its own arguments or variables need" if own else "needs"
    reason = " times ".join(
        f"{key} {sizes[key]}" for key in DIMENSIONS if key == DIMENSIONS[0] or sizes.get(key, 1) > 1
    )
    return (
        f"{excerpt(path)} gives the container {use.gpus} GPUs, "
        f"but {excerpt(name)} {needs} {wanted} ({reason})."
    )


def _documents(text: str) -> list[Manifest]:
    if _GPU not in text:
        return []
    try:
        return list(manifests(build(prepare(text).parsed, kubernetes_value)))
    except TooManyValuesError:
        return []


def _uses(documents: list[Manifest], own: str, paths: Collection[str]) -> Iterator[_Use]:
    naming = list(_naming(documents))
    wanted = {end for _, words in naming for word in words for end in _ends(word)}
    index = _index(paths, own, wanted) if wanted else {}
    for use, words in naming:
        found = {file for word in words if (file := _one_path(word, index)) is not None}
        if len(found) <= MAX_NAMED:
            yield replace(use, named=tuple(sorted(found)))


def _naming(documents: list[Manifest]) -> Iterator[tuple[_Use, set[str]]]:
    """Yield each container that has all GPUs of its pod, with its words that may name files."""
    for manifest in documents:
        at, pod = pod_spec(manifest.value)
        pods = mapping(mapping(manifest.value).get("spec")).get("parallelism")
        with_gpus = [
            (where, container, gpus)
            for where, container in containers(at, pod)
            if (gpus := _gpus(container))
        ]
        # Where several servers run side by side, they may share the work.
        if len(with_gpus) == 1:
            [(where, container, gpus)] = with_gpus
            words = {*_file_names(container), *_mounted(pod, container)}
            path = (*manifest.path, *where)
            yield (
                _Use(path, manifest.document, gpus, pods if type(pods) is int else 1, container),
                words,
            )


def _gpus(container: dict[str, Value]) -> int:
    amount = parse_quantity(mapping(mapping(container.get("resources")).get("limits")).get(_GPU))
    return int(amount) if amount is not None and Decimal(0) < amount < Decimal(_MOST) else 0


def _file_names(container: dict[str, Value]) -> Iterator[str]:
    texts = [*sequence(container.get("command")), *sequence(container.get("args"))]
    texts += [mapping(variable).get("value") for variable in sequence(container.get("env"))]
    for text in texts:
        if isinstance(text, str):
            yield from _names_in(without_comments(text))


def _names_in(text: str) -> Iterator[str]:
    """Yield each word with a file name's ending in it, cut after the last such ending.

    Words are split first: a single pattern for a word and its ending would try every character of a
    long word as the beginning of a name, which takes quadratic time.
    """
    for word in _WORD.findall(text):
        ends = [match.end() for match in _NAME_END.finditer(word)]
        if ends:
            yield word[: ends[-1]]


def _mounted(pod: dict[str, Value], container: dict[str, Value]) -> Iterator[str]:
    """Yield the keys of ConfigMaps that the container mounts one by one."""
    mounts = {
        mapping(mount).get("name")
        for mount in sequence(container.get("volumeMounts"))
        if _named(mount)
    }
    for volume in sequence(pod.get("volumes")):
        if _named(volume) and volume["name"] in mounts:
            for item in sequence(mapping(volume.get("configMap")).get("items")):
                key = mapping(item).get("key")
                if isinstance(key, str):
                    yield key


def _named(value: Value) -> bool:
    return isinstance(mapping(value).get("name"), str)


def _index(paths: Collection[str], own: str, wanted: AbstractSet[str]) -> dict[str, str | None]:
    """Map each wanted end of a path to the path, or to None where several paths end so."""
    index: dict[str, str | None] = {}
    for path in paths:
        # The cheapest test first: a project may have a hundred thousand files.
        if path.rpartition("/")[2] in wanted and path != own and format_of(path) is not None:
            for end in _ends(path):
                if end in wanted:
                    index[end] = None if end in index else path
    return index


def _one_path(word: str, index: Mapping[str, str | None]) -> str | None:
    """Return the path that shares the longest end with a word; None if two paths do."""
    return next((index[end] for end in _ends(word) if end in index), None)


def _ends(path: str) -> Iterator[str]:
    parts = path.split("/")[-_DEEPEST:]
    return ("/".join(parts[start:]) for start in range(len(parts)))


def _file_sizes(text: str, path: str) -> dict[str, int] | None:
    """Return the sizes in settings; empty if they mention none, None if they are unclear."""
    file_format, body = format_of(path), text.removeprefix(BYTE_ORDER_MARK)
    if file_format is None or not _says_size(body):
        return {}
    if validate(body, file_format).validity != "valid":
        return None
    try:
        found = [sizes for value in read_values(body, file_format) for sizes in _sizes(value)]
    except NotPlainError:
        return None
    # Two sections are two servers, even where they are equal.
    return None if len(found) > 1 else found[0] if found else {}


def _says_size(text: str) -> bool:
    """Return quickly whether a text may mention sizes; most files mention none."""
    return any(key in text for key in _KEYS)


def _sizes(value: Value) -> Iterator[dict[str, int]]:
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            waiting += node.values()
            sizes = _size(node)
            if sizes:
                yield sizes
        elif isinstance(node, list):
            waiting += node
        elif isinstance(node, str) and mentions_size(node):
            raise NotPlainError


def _size(settings: dict[str, Value]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for key, value in settings.items():
        dimension = _KEYS.get(key)
        if dimension is None:
            if (
                makes_it_unclear(f"--{key}")
                or key in _PARTS
                or mentions_size(key)
                or counts_several(key, value)
            ):
                raise NotPlainError
        elif dimension in sizes or type(value) is not int or not 0 < value < _MOST:
            raise NotPlainError
        else:
            sizes[dimension] = value
    return sizes
