"""Examples of facts, for the descriptions of errors: by the names of the facts."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from benchmark_manager.errors import BenchmarkManagerError, Fact, GitHubUnavailableError
from benchmark_manager.messages.catalogue import CATALOGUE
from benchmark_manager.messages.rendering import detail

_ID: Final = "65f0c0ffee65f0c0ffee65f0"
_SHA: Final = "3f786850e387550fdab836ed7e6dc881de23001b"

FACTS: Final[dict[str, Fact]] = {
    "allowed": ("GET", "PUT", "DELETE"),
    "api_url": "https://api.github.com",
    "api_urls": ("https://api.github.com",),
    "cause": GitHubUnavailableError("timeout"),
    "cell": 0,
    "clients": 200,
    "closest": "spec.parallelism",
    "count": 2,
    "current_revision": 4,
    "days": 366,
    "declared": '{"kind": "tag", "name": "v1.2.0"}',
    "digest": "sha256:3f786850e387",
    "digits": "3f786850e387",
    "event": "push",
    "expected": 3,
    "field": "config_folder",
    "file": "config/a.yaml",
    "folder": "data",
    "form": "application/x-www-form-urlencoded",
    "format": "YAML",
    "found": 2,
    "free": 90,
    "header": "X-GitHub-Event",
    "id": _ID,
    "issuer": "https://id.example.com",
    "key": "a__b.yaml",
    "kind": "tag",
    "limit": 4,
    "listed": "name: Field required; polling_interval: must be 0, or 10 to 604800 seconds",
    "method": "PATCH",
    "name": "nightly",
    "names": ("config/a.yaml", "config/b.yaml"),
    "number": 2,
    "original": "config/b.json",
    "original_format": "JSON",
    "other": "config/a.yaml/b.yaml",
    "own_schema": 3,
    "own_version": "0.1.0",
    "path": "config/a.yaml",
    "position": 17,
    "repository": "acme/benchmarks",
    "role_needed": "editor",
    "schema": 4,
    "seconds": 20,
    "segment": "ui",
    "service": "0.2.0",
    "sha": _SHA,
    "shortest": 12,
    "size": 2_000_000,
    "status": 403,
    "taken": "vLLM nightly",
    "tries": 4,
    "until": datetime(2026, 11, 23, 12, tzinfo=UTC),
    "url": "id.example.com/token",
    "what": "GitHub did not answer in time",
}

#: Facts that are others for some codes.
_OF_CODES: Final[Mapping[str, dict[str, Fact]]] = {
    "account_name_taken": {"name": "Kim"},
    "baseline_not_compared": {"field": "baseline", "id": "sha256:3f786850e387"},
    "configmap_key_clash": {"path": "a/b.yaml", "other": "a__b.yaml", "key": "a__b.yaml"},
    "configmap_too_large": {"limit": 1_048_576},
    "digest_too_short": {"limit": 12, "count": 7},
    "invalid_account_name": {"field": "account_name", "limit": 100},
    "invalid_audience": {"field": "audience", "limit": 500},
    "invalid_branch": {"field": "branch"},
    "invalid_expiry": {"field": "expires_at"},
    "invalid_group_name": {"field": "group_name", "limit": 200},
    "invalid_issuer": {"field": "issuer", "limit": 500},
    "invalid_file_name": {"field": "result_file_name", "limit": 255},
    "invalid_label": {"field": "label", "limit": 100},
    "invalid_labels": {"field": "labels", "name": "gpu", "limit": 100},
    "invalid_note": {"field": "note", "limit": 10_000},
    "invalid_name": {"field": "variant_name", "limit": 255},
    "invalid_pattern": {"field": "include", "limit": 50},
    "invalid_ref": {"field": "ref"},
    "invalid_subject": {"field": "subject", "limit": 500},
    "invalid_token": {"field": "token", "limit": 255},
    "making_not_found": {"id": "7"},
    "password_refused": {"field": "password", "limit": 1024},
    "release_file_not_found": {"id": "config/llama.yaml"},
    "release_not_found": {"id": "sha256:3f786850e387"},
    "revision_not_found": {"id": "5"},
    "too_many_results": {"limit": 1_000},
    "unknown_metric": {"field": "metrics", "name": ""},
    "too_large": {"limit": 1_048_576},
}


def example(code: str, reason: str | None = None) -> BenchmarkManagerError:
    """Return an error with this code, and with its first reason where none is given."""
    texts = CATALOGUE[code].sentences
    chosen = next(iter(texts)) if reason is None else reason
    return BenchmarkManagerError(code, chosen, **(FACTS | _OF_CODES.get(code, {})))


def example_detail(code: str, reason: str | None = None) -> str:
    """Return a sentence that a program may receive with this code, and maybe this reason."""
    return detail(example(code, reason))
