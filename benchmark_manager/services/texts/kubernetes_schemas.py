"""Kubernetes' schemas, read from the package `kubernetes-validate` if it is installed."""

import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from benchmark_manager.domain.validation.kubernetes.schemas import KubernetesSchemas

PACKAGE: Final = "kubernetes_validate"
#: The newest version and the two before it.
_KEPT_VERSIONS: Final = 3
_FOLDER: Final = re.compile(r"v([0-9]+)\.([0-9]+)\.[0-9]+-local-strict")


class SchemasMissingError(Exception):
    """Kubernetes' schemas cannot be read; the message says why."""


def find_versions(package: str) -> dict[str, Path]:
    """Return the newest versions' files of definitions, by version such as `1.37`, newest first.

    Raises:
        SchemasMissingError
    """
    # Only found, never imported: the package imports another validator, which takes 0.25 seconds.
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
        raise SchemasMissingError(
            "The package kubernetes-validate has no schemas in the expected folder."
        )
    newest = sorted(found, reverse=True)[:_KEPT_VERSIONS]
    return {f"{major}.{minor}": found[major, minor] for major, minor in newest}


@cache
def load_schemas(package: str) -> KubernetesSchemas:
    """Return the schemas of the newest versions, read once for the whole process.

    Raises:
        SchemasMissingError
    """
    try:
        return KubernetesSchemas(
            {
                version: json.loads(path.read_bytes())["$defs"]
                for version, path in find_versions(package).items()
            }
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SchemasMissingError(
            f"The schemas of kubernetes-validate cannot be read ({type(error).__name__})."
        ) from None
