"""Rules for ConfigMaps and Secrets.

Source: https://kubernetes.io/docs/concepts/configuration/configmap/ and …/secret/
"""

import re
from typing import Final

from benchmark_manager.domain.validation.api_server import forms
from benchmark_manager.domain.validation.api_server.rules import Field, Rule, Shape, is_open, known
from benchmark_manager.domain.validation.findings import excerpt
from benchmark_manager.domain.validation.texts.placeholders import holds_placeholder
from benchmark_manager.domain.validation.texts.yaml_values import Value
from benchmark_manager.domain.validation.values import mapping

MAX_DATA: Final = 1_048_576
"""Bytes of all values of a ConfigMap or a Secret."""

_BASE_64: Final = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_LINE_ENDS: Final = re.compile(r"[\r\n]+")


def _keys(value: Value, field: Field) -> None:
    for key in mapping(value):
        if not holds_placeholder(key):
            forms.DATA_KEY(key, field.child(key))


def _encoded(value: Value, field: Field) -> None:
    for key, content in mapping(value).items():
        if isinstance(content, str) and not is_open(content) and not _is_base_64(content):
            # The value may be a secret that was not encoded, so it is not shown.
            field.child(key).refuse("wrong_value", f"The value of {excerpt(key)} is not in base64.")


def _is_base_64(content: str) -> bool:
    return _BASE_64.fullmatch(_LINE_ENDS.sub("", content)) is not None


def _size(value: Value) -> int:
    return sum(
        len(content.encode("utf-8", "surrogatepass"))
        for content in mapping(value).values()
        if isinstance(content, str)
    )


def _decoded_size(value: Value) -> int:
    return _size(value) * 3 // 4


def _fits(plain: str, encoded: str) -> Rule:
    def check(manifest: Value, field: Field) -> None:
        size = _size(mapping(manifest).get(plain)) + _decoded_size(mapping(manifest).get(encoded))
        if size > MAX_DATA:
            where = field.child(plain if mapping(manifest).get(plain) else encoded)
            where.refuse(
                "object_too_large",
                f"The values have {size:,} bytes; Kubernetes allows {MAX_DATA:,} at most.",
            )

    return check


def _one_value_each(manifest: Value, field: Field) -> None:
    encoded = mapping(mapping(manifest).get("binaryData"))
    for key in mapping(mapping(manifest).get("data")):
        if key in encoded:
            message = f"The key {excerpt(key)} is in binaryData as well."
            field.child("data", key).refuse("fields_conflict", message)


CONFIG_MAP: Final = Shape(
    {
        "data": _keys,
        "binaryData": Shape({}, _keys, _encoded),
    },
    _one_value_each,
    _fits("data", "binaryData"),
)

#: The keys that a Secret of a type needs, all of them.
_NEEDED: Final[dict[str, tuple[str, ...]]] = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
_BASIC_AUTH: Final = "kubernetes.io/basic-auth"


def _keys_of_type(manifest: Value, field: Field) -> None:
    kind = known(manifest, "type")
    present = {
        **mapping(mapping(manifest).get("data")),
        **mapping(mapping(manifest).get("stringData")),
    }
    for key in _NEEDED.get(kind, ()) if isinstance(kind, str) else ():
        if key not in present and not any(map(holds_placeholder, present)):
            field.child("type").require(key, f"a Secret of type {kind} needs it.")
    if kind == _BASIC_AUTH and not (
        "username" in present or "password" in present or any(map(holds_placeholder, present))
    ):
        field.child("type").require(
            "username or password", f"a Secret of type {kind} needs one of them."
        )


SECRET: Final = Shape(
    {"data": Shape({}, _keys, _encoded), "stringData": _keys},
    _keys_of_type,
    _fits("stringData", "data"),
)
