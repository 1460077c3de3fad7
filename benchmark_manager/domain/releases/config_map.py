"""Write a ConfigMap manifest from which every YAML reader reads the exact bytes of each text.

Sources: YAML 1.1 and 1.2.2 (block and double-quoted scalars, line breaks, printable characters);
    Kubernetes, "Object Names and IDs" (DNS subdomains) and the API's checks of a ConfigMap: keys,
    and 1 MiB for all values together.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from benchmark_manager.errors import InvalidInputError

#: Bytes of all values together.
LARGEST: Final = 1024 * 1024
ANNOTATION: Final = "benchmark-manager/release"
_LONGEST_NAME: Final = 253
_NAME: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_KEY: Final = re.compile(r"[-._a-zA-Z0-9]{1,253}")
#: A key that every reader reads as text without quotes.
_PLAIN_KEY: Final = re.compile(r"[A-Za-z][-._a-zA-Z0-9]*\.[A-Za-z]+")

#: Characters that some reader changes in a block scalar: controls except tab and newline; line
#: breaks of only one of YAML 1.1 and 1.2; the byte order mark; noncharacters.
_NOT_IN_BLOCKS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_ESCAPED: Final = re.compile('[\\\\"\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff]')
_SHORT_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_INDENT: Final = "    "


def config_map_keys(paths: Iterable[str]) -> dict[str, str]:
    """Return the key of each path, by path: the path with `__` for each `/`.

    Raises:
        InvalidInputError: `configmap_key_invalid`, `configmap_key_clash`.
    """
    keys: dict[str, str] = {}
    owners: dict[str, str] = {}
    for path in paths:
        key = path.replace("/", "__")
        # Kubernetes reserves names that begin with two dots for its links in a mounted map.
        if _KEY.fullmatch(key) is None or key == "." or key.startswith(".."):
            raise InvalidInputError("configmap_key_invalid", path=path[:300])
        if key in owners:
            raise InvalidInputError("configmap_key_clash", path=path, other=owners[key], key=key)
        keys[path], owners[key] = key, path
    return keys


def check_config_map_size(size: int) -> None:
    """Accept a size, in bytes, of all values of a ConfigMap together.

    Raises:
        InvalidInputError: `configmap_too_large`.
    """
    if size > LARGEST:
        raise InvalidInputError("configmap_too_large", size=size, limit=LARGEST)


def check_config_map_name(name: str) -> None:
    """Accept a name that Kubernetes accepts for a ConfigMap.

    Raises:
        InvalidInputError: `invalid_name`.
    """
    if len(name) > _LONGEST_NAME or _NAME.fullmatch(name) is None:
        raise InvalidInputError(
            "invalid_name", "config_map", field="config_map_name", limit=_LONGEST_NAME
        )


def config_map(name: str, digest: str, data: Mapping[str, str]) -> str:
    """Return the manifest of an immutable ConfigMap; `data` are the checked texts by key."""
    head = (
        *("apiVersion: v1", "kind: ConfigMap", "metadata:", f'  name: "{name}"', "  labels:"),
        *("    app.kubernetes.io/managed-by: benchmark-manager", "  annotations:"),
        *(f'    {ANNOTATION}: "{digest}"', "immutable: true"),
    )
    values = "".join(f"  {_key(key)}: {yaml_text(text)}" for key, text in data.items())
    return "\n".join(head) + ("\ndata:\n" + values if values else "\ndata: {}\n")


def _key(key: str) -> str:
    return key if _PLAIN_KEY.fullmatch(key) else f'"{key}"'


def yaml_text(text: str) -> str:
    """Return the text as a value in `data`, with a final line break.

    It is a block scalar where every reader reads that exactly, else double-quoted.
    """
    body = text.rstrip("\n")
    if not body or body[-1] in " \t" or _NOT_IN_BLOCKS.search(text):
        return f'"{_ESCAPED.sub(_escape, text)}"\n'
    # Readers take the indentation from the first line; an indicator replaces that where the line is
    # empty or indented itself.
    indicator = len(_INDENT) - len(_DATA_INDENT) if body[0] in " \t\n" else ""
    breaks = len(text) - len(body)
    chomping = "-" if breaks == 0 else "" if breaks == 1 else "+"
    lines = "".join(f"{_INDENT}{line}\n" if line else "\n" for line in body.split("\n"))
    return f"|{indicator}{chomping}\n{lines}" + "\n" * max(0, breaks - 1)


_DATA_INDENT: Final = "  "
#: The last character that is written with two hexadecimal digits.
_LAST_OF_TWO_DIGITS: Final = 0xFF


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    escape = f"\\x{code:02x}" if code <= _LAST_OF_TWO_DIGITS else f"\\u{code:04x}"
    return _SHORT_ESCAPES.get(found[0], escape)
