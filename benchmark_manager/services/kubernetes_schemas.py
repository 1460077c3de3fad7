"""Kubernetes' schemas, read from the package `kubernetes-validate` where it is installed."""

import json
import re
import threading
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import structlog

from benchmark_manager.domain.validation.kubernetes_schemas import KubernetesSchemas

_log = structlog.get_logger(__name__)

PACKAGE: Final = "kubernetes_validate"
#: The newest version and two before.
_KEPT_VERSIONS: Final = 3
_FOLDER: Final = re.compile(r"v([0-9]+)\.([0-9]+)\.[0-9]+-local-strict")


class SchemasMissingError(Exception):
    """There are no schemas to read; the message says why."""


class SchemaSource:
    """The schemas, read when a manifest is first judged; without them manifests are judged by our own rules alone."""

    def __init__(self, package: str = PACKAGE) -> None:
        """Look for the package; only which versions it has is read now."""
        self.versions: tuple[str, ...] = ()
        self.missing: str | None = None
        self._package = package
        self._schemas: KubernetesSchemas | None = None
        self._lock = threading.Lock()
        try:
            self.versions = tuple(find_versions(package))
        except SchemasMissingError as error:
            self._give_up(error)

    def get(self) -> KubernetesSchemas | None:
        """The schemas, or None where `missing` says why there are none; the first call takes a tenth of a second."""
        with self._lock:
            if self._schemas is None and self.missing is None:
                try:
                    self._schemas = load_schemas(self._package)
                except SchemasMissingError as error:
                    self._give_up(error)
        return self._schemas

    def _give_up(self, error: SchemasMissingError) -> None:
        self.versions, self.missing = (), str(error)
        _log.warning("manifests are not held to Kubernetes' schemas", reason=self.missing)


def find_versions(package: str) -> dict[str, Path]:
    """The files of definitions of the newest versions, newest first, by version as `1.37`.

    Raises:
        SchemasMissingError
    """
    # Looked for, never imported: the package imports a second validator, which takes a quarter of a second.
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SchemasMissingError("The package kubernetes-validate is not installed.")
    folder = Path(spec.submodule_search_locations[0]) / "kubernetes-json-schema"
    found: dict[tuple[int, int], Path] = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        match = _FOLDER.fullmatch(path.name)
        if match is not None:
            found[int(match[1]), int(match[2])] = path / "_definitions.json"
    if not found:
        raise SchemasMissingError("The package kubernetes-validate holds no schemas where they were expected.")
    newest = sorted(found, reverse=True)[:_KEPT_VERSIONS]
    return {f"{major}.{minor}": found[major, minor] for major, minor in newest}


@cache
def load_schemas(package: str) -> KubernetesSchemas:
    """The schemas of the newest versions, read once for the whole process.

    Raises:
        SchemasMissingError
    """
    try:
        return KubernetesSchemas(
            {version: json.loads(path.read_bytes())["$defs"] for version, path in find_versions(package).items()}
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SchemasMissingError(
            f"The schemas of kubernetes-validate cannot be read ({type(error).__name__})."
        ) from None
