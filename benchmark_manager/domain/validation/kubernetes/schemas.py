"""Kubernetes' schemas of several versions, compiled when a kind first occurs, and kept.

The definitions are those of a version's OpenAPI description, made strict: unknown fields are
refused, as `kubectl` refuses them by default. Kinds in groups other than Kubernetes' own are custom
resources and are not checked.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from jsonschema_rs import Draft202012Validator

from benchmark_manager.domain.validation.findings import excerpt
from benchmark_manager.domain.validation.schemas.messages import MASK, violations
from benchmark_manager.domain.validation.texts.yaml_values import Value
from benchmark_manager.domain.validation.value_findings import Violation

Schema: TypeAlias = dict[str, Any]
_Kind: TypeAlias = tuple[str, str]
"""apiVersion and kind."""

_REFERENCE: Final = "#/$defs/"
_KINDS: Final = "x-kubernetes-group-version-kind"
_KEPT: Final = frozenset(
    {"$ref", "type", "enum", "required", "properties", "items", "additionalProperties"}
)
_INTEGERS: Final = {"int32": 2**31, "int64": 2**63}
#: Objects that share a file with a workload come from these; the others are for administrators.
_GROUPS: Final = frozenset(
    {
        *(
            "",
            "apps",
            "batch",
            "autoscaling",
            "networking.k8s.io",
            "policy",
            "rbac.authorization.k8s.io",
        ),
        *("resource.k8s.io", "scheduling.k8s.io", "storage.k8s.io"),
    }
)
#: Groups which Kubernetes once had, and whose kinds moved.
_FORMER_GROUPS: Final = frozenset({"extensions"})


class KubernetesSchemas:
    """Checks objects against every version; safe to use from several threads."""

    def __init__(self, definitions: Mapping[str, Mapping[str, Schema]]) -> None:
        """Take the definitions of each version, newest first.

        Args:
            definitions: by version, such as `1.37`, then by name, such as
                `io.k8s.api.batch.v1.Job`.
        """
        self.versions = tuple(definitions)
        self._versions = [_Version(name, found) for name, found in definitions.items()]
        homes: dict[str, set[str]] = {}
        for version in self._versions:
            for api_version, kind in version.kinds:
                homes.setdefault(kind, set()).add(api_version)
        self._homes = homes
        self._meant = {
            (api_version, form): kind
            for version in self._versions
            for api_version, kind in version.kinds
            for form in _other_spellings(kind)
        }

    def violations(self, manifest: dict[str, Value], size: int) -> list[Violation]:
        """Return what some version refuses in one object of `size` values.

        There are at most `MAX_PROBLEMS` a version, and only the first one of a large object. A
        violation in some versions only names these.
        """
        api_version, kind = manifest.get("apiVersion"), manifest.get("kind")
        if not (isinstance(api_version, str) and isinstance(kind, str)):
            return []
        if kind not in self._homes:
            return list(self._misspelt(api_version, kind))
        # By convention, `x-…` fields at the top hold values that the rest of the file refers to.
        manifest = {name: value for name, value in manifest.items() if not name.startswith("x-")}
        found: dict[Violation, list[str]] = {}
        for version in self._versions:
            for violation in version.violations((api_version, kind), manifest, size):
                found.setdefault(violation, []).append(version.name)
        missing = [
            version.name for version in self._versions if (api_version, kind) not in version.kinds
        ]
        # An alpha version exists in few versions of Kubernetes; a manifest that uses it is meant
        # for one of them.
        is_known_alpha = "alpha" in api_version and len(missing) < len(self._versions)
        if missing and _is_own(api_version) and not is_known_alpha:
            found[self._unknown(api_version, kind)] = missing
        newest = self._versions[0].name
        return [
            self._named(violation, versions)
            for violation, versions in found.items()
            # The API server has always filled in fields that only older descriptions require, such
            # as a roleRef's apiGroup.
            if violation[1] != "missing_field" or newest in versions or newest in missing
        ]

    def _misspelt(self, api_version: str, kind: str) -> Iterator[Violation]:
        """Report a kind in other letters or in the plural, if its API version has the right one."""
        meant = self._meant.get((api_version, kind.lower()))
        if meant is not None:
            yield ("kind",), "not_a_job", f"Kubernetes has no kind {excerpt(kind)}; write {meant}."

    def _unknown(self, api_version: str, kind: str) -> Violation:
        homes = ", ".join(sorted(self._homes[kind] - {api_version}))
        hint = f"; write {homes}" if homes else ""
        message = f"Kubernetes has no {excerpt(kind)} in {excerpt(api_version)}{hint}."
        return ("apiVersion",), "unknown_api_version", message

    def _named(self, violation: Violation, versions: list[str]) -> Violation:
        if len(versions) == len(self._versions):
            return violation
        path, code, message = violation
        others = ", ".join(name for name in self.versions if name not in versions)
        return path, code, f"{message} (Kubernetes {', '.join(versions)}; not {others})"


def _other_spellings(kind: str) -> Iterator[str]:
    lower = kind.lower()
    yield lower
    if lower.endswith("y"):
        yield f"{lower[:-1]}ies"
    else:
        yield f"{lower}es" if lower.endswith(("s", "x")) else f"{lower}s"


def _is_own(api_version: str) -> bool:
    group = api_version.rpartition("/")[0]
    return group in _GROUPS or group in _FORMER_GROUPS


class _Version:
    """One version's definitions, reduced, and the validators made so far."""

    def __init__(self, name: str, definitions: Mapping[str, Schema]) -> None:
        self.name = name
        self.kinds = dict(_kinds(definitions))
        # Only reachable definitions are kept: half of a version describes the cluster itself.
        self._definitions = _closure(
            {n: _slim(d) for n, d in definitions.items()}, self.kinds.values()
        )
        self._validators: dict[_Kind, Draft202012Validator] = {}

    def violations(self, kind: _Kind, manifest: dict[str, Value], size: int) -> list[Violation]:
        if kind not in self.kinds:
            return []
        validator = self._validators.get(kind) or self._compiled(kind)
        return violations(validator, manifest, size)

    def _compiled(self, kind: _Kind) -> Draft202012Validator:
        name = self.kinds[kind]
        reached = _closure(self._definitions, [name])
        schema = {"$ref": f"{_REFERENCE}{name}", "$defs": reached}
        # Two threads may both compile it; either result will do.
        return self._validators.setdefault(
            kind, Draft202012Validator(schema, offline=True, mask=MASK)
        )


def _kinds(definitions: Mapping[str, Schema]) -> Iterator[tuple[_Kind, str]]:
    for name, definition in definitions.items():
        kinds = definition.get(_KINDS, ())
        # A kind of many groups, such as DeleteOptions, never occurs in files.
        if len(kinds) == 1 and kinds[0]["group"] in _GROUPS:
            group, version = kinds[0]["group"], kinds[0]["version"]
            yield (f"{group}/{version}" if group else version, kinds[0]["kind"]), name


def _slim(schema: Schema) -> Schema:
    """Keep the keywords that validate, without descriptions; add the bounds of sized integers."""
    slim: Schema = {key: value for key, value in schema.items() if key in _KEPT}
    if "properties" in slim:
        slim["properties"] = {name: _slim(part) for name, part in slim["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(slim.get(key), dict):
            slim[key] = _slim(slim[key])
    # Kubernetes' `oneOf` of text and number would refuse null, which both allow.
    if "oneOf" in schema:
        slim["type"] = sorted({name for part in schema["oneOf"] for name in part["type"]})
    if (most := _INTEGERS.get(schema.get("format", ""))) is not None:
        slim |= {"minimum": -most, "maximum": most - 1}
    return slim


def _closure(definitions: Mapping[str, Schema], names: Iterable[str]) -> dict[str, Schema]:
    """Return the named definitions and all that they refer to."""
    reached: dict[str, Schema] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached[name] = definitions[name]
            waiting += _references(definitions[name])
    return reached


def _references(schema: Schema) -> Iterator[str]:
    if "$ref" in schema:
        yield schema["$ref"].removeprefix(_REFERENCE)
    for part in schema.get("properties", {}).values():
        yield from _references(part)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from _references(schema[key])
