"""Bodies and fields for requests: valid ones after the OpenAPI document, and what goes wrong."""

import json
import random
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from support.problems import description
from support.service import Json

#: What fields, parameters and headers are given besides valid values. The last two are the
#: beginning of a word that only some may read, and of one that nothing has.
ODD_TEXTS: Final = (
    *("", " ", "\0", "a\u202eb", "é" * 50, "x" * 3000, "../../etc/passwd", "<script>x</script>"),
    *("{{7*7}}", "{'$ne': 1}", "null", "-1", "9" * 40, '"\\', "%00", "\r\nX: y", "zebrafinch"),
)
ODD_VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 2**63, 1e308, [], {}, [None], {"a": {"b": [1]}}, [[[[]]]]),
    *ODD_TEXTS,
)
_BROKEN: Final = (b"", b"{", b"\xff\xfe", b"[1,", b"nul", b"[" * 5000, b'{"a":1}' * 2, b'"\xed"')
_DEEPEST: Final = 4
#: Values for fields whose schema says too little.
_WORDS: Final[dict[str, tuple[Any, ...]]] = {
    "github_repo_url": ("acme/plain", "acme/plain", "acme/none", "https://github.com/acme/plain"),
    "github_token": (None, "ghp_other"),
    "modified_name": ("made.yaml", "other.yaml", "taken.yaml", "run.json", None),
    "content": ("a: 1\n", "a: [1\n", "é: 2\n", None),
    "name": ("made", "Other", "made by hand", "a" * 60),
    "password": ("a violet giraffe sings", "short"),
    "new_password": ("a violet giraffe sings", "short"),
    "current_password": ("not this one",),
    "issuer": ("https://token.actions.githubusercontent.com", "https://login.example.com"),
    "audience": ("bench", "other"),
    "subject": ("repo:acme/bench:ref:refs/heads/main", "repo:acme/bench:"),
    "revision": (1, 2, 99),
    "polling_interval": (0, 180, 5),
    "branch": ("main", None, "nowhere"),
    "expires_at": (None, "2027-01-01T00:00:00Z", "2001-01-01T00:00:00Z"),
    "include": ([], ["*.yaml"], "all", "modified"),
    "labels": ('{"gpu": "H100"}', "{}", "[]", '{"a": 1}', '{"a": "\\ud800"}', '{"": "x"}'),
    "tool": ("vllm", "plain", "unknown", "other"),
    "file_name": ("a.json", "dir/a.json", ".."),
}
#: Files of results, and what is sent beside one.
_RESULTS: Final = (
    b'{"metrics": {"ttft_p99": 12.5}}',
    b'{"metrics": {"x": {"value": 1e308, "unit": "<b>"}}}',
    b'{"metrics": {"x": NaN, "y": 1e999}}',
    b'{"metrics": ' + b'{"a":' * 3000,
)
_UPLOAD_FIELDS: Final = (
    *("project_id", "run", "tool", "labels", "note", "receipt", "file_name", "unknown"),
)
#: Parts of sweeps, which fit each other only as a whole.
_WHOLE: Final[dict[str, tuple[Any, ...]]] = {
    "files": ({"engine": "config/a.yaml"}, {"engine": "config/none.yaml"}),
    "axes": (
        [{"name": "size", "set": "engine:size", "values": [1, 2, 3]}],
        [{"name": "size", "set": "engine:size", "values": list(range(300))}] * 2,
        [{"name": "kind", "points": [{"name": "a", "set": {"engine:model": "x"}}]}],
        [{"name": "new", "set": "engine:new?", "values": [None, [1], {"a": "é"}]}],
    ),
    "exclude": ([], [{"size": 1}]),
    "targets": ({}, {"size": "engine:size"}),
}
#: Which objects a field names.
ID_FIELDS: Final = {
    "original_file_id": "file",
    "modified_file_id": "variant",
    "modified_file_ids": "variant",
    "variant_id": "variant",
    "file_id": "file",
    "original": "file",
    "original_sha": "digest",
    "project_id": "project",
    "projects": "project",
    "account_id": "account",
    "id": "account",
    "actor": "account",
    "object": "variant",
    "sync_id": "sync",
    "session_id": "session",
    "token_id": "token",
    "rule_id": "rule",
    "digest": "digest",
    "other": "digest",
    "with": "digest",
    "reset_id": "sync",
    "release": "digest",
    "sweep": "sweep",
    "receipt": "receipt",
    "run": "result",
}


class Bodies:
    """Makes bodies; `an_id` returns one of a kind of object."""

    def __init__(self, chance: random.Random, an_id: Callable[[str], str]) -> None:
        self._chance = chance
        self._an_id = an_id
        self._schemas: dict[str, Json] = description()["components"]["schemas"]

    def json(self, schema: Json) -> bytes:
        """Return a body of a schema: valid, with something wrong, or none at all."""
        roll = self._chance.random()
        if roll < 0.06:
            return self._chance.choice(_BROKEN)
        value = self.value(schema)
        if roll < 0.4:
            value = self._wrong(value)
        return json.dumps(value).encode()

    def form(self, token: str) -> bytes:
        """Return the fields of some form of the pages."""
        names = self._chance.sample(
            sorted({*_WORDS, *ID_FIELDS, *_FORM}), self._chance.randint(1, 9)
        )
        fields = {name: self._form_field(name) for name in names}
        return urlencode({**fields, "csrf_token": token}, errors="replace").encode()

    def upload(self) -> tuple[bytes, bytes]:
        """Return a result as a form, maybe a cut one, or as the whole body; and its media type."""
        data = self._chance.choice((*_RESULTS, *_BROKEN))
        if self._chance.random() < 0.4:
            return data, b"application/octet-stream"
        names = self._chance.sample(_UPLOAD_FIELDS, self._chance.randint(1, 4))
        fields = {"release": self._an_id("digest"), **{name: self.field(name) for name in names}}
        parts = [
            f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
            + text.encode(errors="replace")
            for name, text in fields.items()
        ]
        name = self._chance.choice(("a.json", "..", "<b>.json", "é.json", ""))
        head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        body = b"\r\n".join([*parts, head.encode() + data, b"--x--\r\n"])
        if self._chance.random() < 0.1:
            body = body[: self._chance.randrange(len(body))]
        return body, b"multipart/form-data; boundary=x"

    def field(self, name: str) -> str:
        """Return a text for a parameter of this name."""
        if self._chance.random() < 0.15:
            return self._chance.choice(ODD_TEXTS)
        if name in ID_FIELDS:
            return self._an_id(ID_FIELDS[name])
        if name in _WORDS:
            return str(self._chance.choice(_WORDS[name]))
        return self._chance.choice(_QUERIES)

    def _form_field(self, name: str) -> str:
        words = _FORM.get(name)
        return self.field(name) if words is None else self._chance.choice(words)

    def value(self, schema: Json, name: str = "", depth: int = 0) -> Any:
        """Return a value that a schema allows, of a field of this name."""
        if "$ref" in schema:
            return self.value(self._schemas[schema["$ref"].rpartition("/")[2]], name, depth)
        if "anyOf" in schema:
            return self.value(self._chance.choice(schema["anyOf"]), name, depth)
        if name in _WHOLE and schema.get("type") in {"object", "array"}:
            return self._whole(name)
        if words := schema.get("enum", [schema["const"]] if "const" in schema else None):
            return self._chance.choice(words)
        if schema.get("type") == "object":
            return self._object(schema, depth)
        return self._plain(schema, name, depth)

    def _whole(self, name: str) -> Any:
        """Return a value of `_WHOLE`, now and then with a variant among the files."""
        if name == "files" and self._chance.random() < 0.5:
            return {"engine": {"modified_file_id": self._an_id("variant")}}
        return self._chance.choice(_WHOLE[name])

    def _plain(self, schema: Json, name: str, depth: int) -> Any:
        match schema.get("type"):
            case "array":
                size = 0 if depth > _DEEPEST else self._chance.randint(0, 3)
                return [self.value(schema.get("items", {}), name, depth + 1) for _ in range(size)]
            case "string":
                return self._text(name)
            case "integer" | "number":
                return self._chance.choice(_WORDS.get(name, (0, 1, 10)))
            case "boolean":
                return self._chance.random() < 0.5
            case _:
                return None

    def _object(self, schema: Json, depth: int) -> Json:
        needed = set(schema.get("required", ()))
        return {
            key: self.value(inner, key, depth + 1)
            for key, inner in schema.get("properties", {}).items()
            if key in needed or self._chance.random() < 0.5
        }

    def _text(self, name: str) -> Any:
        if name in ID_FIELDS:
            return self._an_id(ID_FIELDS[name])
        return self._chance.choice(_WORDS.get(name, ("text", "another text", "config")))

    def _wrong(self, value: Any) -> Any:
        """Return the value with one thing that is not as the schema says."""
        if not isinstance(value, dict) or not value or self._chance.random() < 0.1:
            return self._chance.choice(ODD_VALUES)
        key = self._chance.choice(sorted(value))
        match self._chance.randint(0, 3):
            case 0:
                return {name: inner for name, inner in value.items() if name != key}
            case 1:
                return {**value, "unknown_field": self._chance.choice(ODD_VALUES)}
            case _:
                return {**value, key: self._chance.choice(ODD_VALUES)}


_QUERIES: Final = (
    *("1", "100", "0", "true", "false", "all", "a", "config", "job", "content", "keys", "json"),
    *("jsonl", "text", "zip", "tar.gz", "behind", "conflict", "original", "admin", "reader", "2"),
    *("variant.edit", "sign_in", "failing", "2026-01-01", "account", "group", "acme/plain"),
)
#: Fields of forms that the API does not have.
_FORM: Final[dict[str, tuple[str, ...]]] = {
    "kind": ("account", "group"),
    "role": ("none", "reader", "editor", "maintainer", "admin"),
    "disabled": ("on",),
    "confirm": ("on", "own", "yes"),
    "next": ("/ui", "//evil.example", "https://evil.example"),
    "repository": ("acme/plain", "acme/none"),
    "password": ("a violet giraffe sings", "short"),
    "password_again": ("a violet giraffe sings",),
    "days": ("1", "90", "9999"),
    "match": ("exact", "prefix"),
    "remove_token": ("on",),
    "pinned": ("on",),
    "decision": ("mine", "theirs"),
    "language": ("ko", "en"),
}
