"""Whether a Job asks for as many GPUs as the settings which it names are meant for."""

import re
from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from decimal import Decimal
from math import prod
from typing import Final

from benchmark_manager.domain.sync.classification import format_of
from benchmark_manager.domain.validation.complaints import Complaints, mapping, sequence
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
from benchmark_manager.domain.yaml.events import BYTE_ORDER_MARK, prepare

_GPU: Final = "nvidia.com/gpu"
_KEYS: Final = {key: name for name in DIMENSIONS for key in (name, name.replace("_", "-"))}
#: Servers which share the work of one.
_PARTS: Final = frozenset({"prefill", "decode"})
_WORD: Final = re.compile(r"[^\s\"'=,:;()\[\]{}<>|&]++")
_NAME_END: Final = re.compile(r"(?<=.)\.(?:ya?ml|json)(?![\w.])", re.IGNORECASE | re.DOTALL)
_MOST: Final = 10**6
#: Folders above a file by which it is told from others of its name.
_DEEPEST: Final = 20
#: Files looked at for one Job; one which names more is a list of something else.
MAX_NAMED: Final = 8
MAX_SETTINGS: Final = 1_000_000
"""Characters of all settings which one Job is compared with; those which it names may be as large as files can be."""


@dataclass(frozen=True, slots=True)
class _Use:
    """A container with GPUs, and the files of the project which it names."""

    path: Path
    document: int
    gpus: int
    pods: int
    container: dict[str, Value]
    named: tuple[str, ...] = ()


def named_files(text: str, path: str, paths: Collection[str]) -> set[str]:
    """The project's files which containers with GPUs name, of a text which parses."""
    return {name for use in _uses(_documents(text), path, paths) for name in use.named}


def check_gpus(
    text: str, path: str, others: Mapping[str, str], paths: Collection[str], findings: Findings
) -> None:
    """Compare the GPUs of each container with its arguments, its variables and the one file of settings it names.

    Args:
        text: a manifest which parses, without a byte order mark.
        path: its own, from the repository's root.
        others: contents by path, as `named_files` asked for them.
        paths: all that there are: of two files, which one is meant is told by both.
        findings: takes what is found.
    """
    uses = list(_uses(_documents(text), path, paths))
    named = {name: others[name] for use in uses for name in use.named if name in others}
    if sum(len(content) for content in named.values() if _says_size(content)) > MAX_SETTINGS:
        return
    sizes = {name: _file_sizes(content, name) for name, content in named.items()}
    complaints = Complaints()
    for use in uses:
        message = _mismatch(
            path, use, {name: sizes[name] for name in use.named if sizes.get(name, {}) != {}}
        )
        if message is not None:
            complaints.begin(use.document, None)
            complaints.add((*use.path, "resources", "limits", _GPU), "gpu_mismatch", message)
    complaints.tell(prepare(text).parsed, kubernetes_value, findings)


def _mismatch(path: str, use: _Use, files: Mapping[str, dict[str, int] | None]) -> str | None:
    """What is wrong with a container's number of GPUs; `files` are those it names that say something about it."""
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
    return f"{excerpt(path)} gives the container {use.gpus} GPUs, but {excerpt(name)} {needs} {wanted} ({reason})."


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
    """The containers which have all GPUs of their pod, and the words in them which may name files."""
    for manifest in documents:
        at, pod = pod_spec(manifest.value)
        pods = mapping(mapping(manifest.value).get("spec")).get("parallelism")
        with_gpus = [
            (where, container, gpus)
            for where, container in containers(at, pod)
            if (gpus := _gpus(container))
        ]
        # Of several servers side by side one may well do a part of the other's work.
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
    """Every word up to the last ending of a file's name in it.

    Words are split off first: one pattern for a word and its ending tries every character of a long
    word as the beginning of a name, which takes quadratic time.
    """
    for word in _WORD.findall(text):
        ends = [match.end() for match in _NAME_END.finditer(word)]
        if ends:
            yield word[: ends[-1]]


def _mounted(pod: dict[str, Value], container: dict[str, Value]) -> Iterator[str]:
    """The keys of ConfigMaps which the container mounts one by one."""
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
    """The wanted ends of paths, at a slash, with the path; None where several paths end so."""
    index: dict[str, str | None] = {}
    for path in paths:
        # Asked first: a project may have a hundred thousand files.
        if path.rpartition("/")[2] in wanted and path != own and format_of(path) is not None:
            for end in _ends(path):
                if end in wanted:
                    index[end] = None if end in index else path
    return index


def _one_path(word: str, index: Mapping[str, str | None]) -> str | None:
    """The one path which ends most like the word does; None where two are as good."""
    return next((index[end] for end in _ends(word) if end in index), None)


def _ends(path: str) -> Iterator[str]:
    parts = path.split("/")[-_DEEPEST:]
    return ("/".join(parts[start:]) for start in range(len(parts)))


def _file_sizes(text: str, path: str) -> dict[str, int] | None:
    """What the settings say about the number of GPUs; empty if nothing, None if it is not plain."""
    file_format, body = format_of(path), text.removeprefix(BYTE_ORDER_MARK)
    if file_format is None or not _says_size(body):
        return {}
    if validate(body, file_format).validity != "valid":
        return None
    try:
        found = [sizes for value in read_values(body, file_format) for sizes in _sizes(value)]
    except NotPlainError:
        return None
    # Two sections are two servers, also where they are alike.
    return None if len(found) > 1 else found[0] if found else {}


def _says_size(text: str) -> bool:
    """Whether a text may say how many GPUs it is for; asked first, as most files say nothing about it."""
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
