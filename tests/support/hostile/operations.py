"""What the service does with texts from outside, without the service."""

from collections.abc import Callable
from functools import cache
from typing import Final

from benchmark_manager.domain.documents import (
    compare_three_ways,
    compare_together,
    key_changes,
    values_at,
)
from benchmark_manager.domain.merge import merge
from benchmark_manager.domain.search.content_search import ContentQuery, find_in_content
from benchmark_manager.domain.sync.classification import type_by_content
from benchmark_manager.domain.text.unified_diff import unified_diff
from benchmark_manager.domain.validation import validate
from benchmark_manager.domain.validation.across import check_across, references
from benchmark_manager.domain.validation.kubernetes.schemas import KubernetesSchemas
from benchmark_manager.models.original import FileFormat
from benchmark_manager.models.search import SearchIn
from benchmark_manager.services.texts.kubernetes_schemas import PACKAGE, load_schemas
from support.hostile.text import Operation, Texts, sides

SEARCHED_IN: Final[tuple[SearchIn, ...]] = ("text", "keys", "values")

SCHEMA_PATH: Final = "config/schema.json"
SETTINGS_PATH: Final = "config/tp.yaml"


@cache
def _schemas() -> KubernetesSchemas:
    return load_schemas(PACKAGE)


def run(operation: Operation, texts: Texts, file_format: FileFormat = "yaml") -> None:
    """Do with texts what the service does with them.

    Every result is right here, but an exception is not.
    """
    _OPERATIONS[operation](texts, file_format)


def _validate(texts: Texts, file_format: FileFormat) -> None:
    validate(texts[0], file_format)


def _job(texts: Texts, file_format: FileFormat) -> None:
    validate(texts[0], file_format, "job", kubernetes=_schemas())


def _sync(texts: Texts, file_format: FileFormat) -> None:
    validate(texts[0], file_format, type_by_content(texts[0]))


def _search(texts: Texts, file_format: FileFormat) -> None:
    parses = validate(texts[0], file_format, "config").validity == "valid"
    for where in SEARCHED_IN:
        find_in_content(
            texts[0], file_format, ContentQuery.of("a", where), limit=100, parses=parses
        )


def _schema(texts: Texts, file_format: FileFormat) -> None:
    others = {SCHEMA_PATH: texts[1]}
    if references(texts[0], "config/run.json", file_format, "config", others):
        check_across(texts[0], "config/run.json", file_format, "config", others)


def _gpu(texts: Texts, file_format: FileFormat) -> None:
    others = {SETTINGS_PATH: texts[1] if len(texts) > 1 else "tensor_parallel_size: 3\n"}
    if references(texts[0], "job/run.yaml", file_format, "job", others):
        check_across(texts[0], "job/run.yaml", file_format, "job", others)


def _diff(texts: Texts, _format: FileFormat) -> None:
    base, theirs, _ = sides(texts)
    unified_diff(base, theirs, before_path="a", after_path="b")


def _compare(texts: Texts, file_format: FileFormat) -> None:
    base, theirs, _ = sides(texts)
    key_changes(base, theirs, file_format)


def _variants(texts: Texts, file_format: FileFormat) -> None:
    base, theirs, mine = sides(texts)
    values_at(theirs, file_format)
    compare_three_ways(theirs, base, [mine], file_format)
    compare_together(theirs, [(mine, base)], file_format)


def _merge(texts: Texts, file_format: FileFormat) -> None:
    merge(*sides(texts), file_format)


def _drift(texts: Texts, file_format: FileFormat) -> None:
    base, theirs, mine = sides(texts)
    for number in range(25):
        variant = f"{mine}# {number}\n" if file_format == "yaml" else mine + " " * number
        merge(base, theirs, variant, file_format)


_OPERATIONS: Final[dict[Operation, Callable[[Texts, FileFormat], None]]] = {
    "validate": _validate,
    "job": _job,
    "schema": _schema,
    "gpu": _gpu,
    "sync": _sync,
    "search": _search,
    "diff": _diff,
    "compare": _compare,
    "variants": _variants,
    "merge": _merge,
    "drift": _drift,
}
