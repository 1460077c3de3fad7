"""The forms of names, paths and addresses that the API server accepts.

Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ and the field
    descriptions under https://kubernetes.io/docs/reference/kubernetes-api/
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from benchmark_manager.domain.validation.api_server.rules import Field, Rule, is_number, text
from benchmark_manager.domain.validation.findings import excerpt
from benchmark_manager.domain.validation.kubernetes.names import is_label_name
from benchmark_manager.domain.validation.texts.yaml_values import Value

MAX_PORT: Final = 65_535
_MAX_SUBDOMAIN: Final = 253
_MAX_SHORT: Final = 63
_MAX_PORT_NAME: Final = 15

_SUBDOMAIN: Final = re.compile(
    r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*"
)
_SEARCH_PATH: Final = re.compile(
    r"[a-z0-9_](?:[-a-z0-9_]*[a-z0-9_])?(?:\.[a-z0-9_](?:[-a-z0-9_]*[a-z0-9_])?)*"
)
_SHORT: Final = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")
_PORT_NAME: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_ENV_NAME: Final = re.compile(r"[ -<>-~]+")
_DATA_KEY: Final = re.compile(r"[-._a-zA-Z0-9]+")
_HEADER: Final = re.compile(r"[-A-Za-z0-9]+")
_SYSCTL: Final = re.compile(
    r"[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?(?:[./][a-z0-9](?:[-_a-z0-9]*[a-z0-9])?)*"
)
_DOMAIN_PATH: Final = re.compile(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+")
_LEADING_ZEROS: Final = re.compile(r"(?<![0-9])0+(?=[0-9])")
_BLANK: Final = re.compile(r"\s")
_ALL: Final = "100"
_PERCENT: Final = re.compile(r"[0-9]+%")


def is_subdomain(name: str) -> bool:
    """Return whether a name is a DNS name: lower-case letters, digits, `-` and `.`."""
    return len(name) <= _MAX_SUBDOMAIN and _SUBDOMAIN.fullmatch(name) is not None


def is_prefix(name: str) -> bool:
    """Return whether a generated name can begin so; since letters follow, it may end with `-`."""
    return is_subdomain(f"{name[:-1]}a" if name.endswith("-") else name)


def is_qualified_name(name: str) -> bool:
    """Return whether a label can have the key: a name, optionally after a DNS name and `/`."""
    prefix, slash, short = name.rpartition("/")
    return is_label_value(short) and bool(short) and (is_subdomain(prefix) if slash else True)


def is_label_value(value: str) -> bool:
    return not value or (len(value) <= _MAX_SHORT and _SHORT.fullmatch(value) is not None)


def is_port_name(name: str) -> bool:
    """Return whether a name is a service name of IANA (RFC 6335)."""
    letters = any(character.isalpha() for character in name[: _MAX_PORT_NAME + 1])
    return len(name) <= _MAX_PORT_NAME and letters and _PORT_NAME.fullmatch(name) is not None


def is_env_name(name: str) -> bool:
    """Return whether a variable of a container can have the name."""
    return _ENV_NAME.fullmatch(name) is not None


def is_data_key(key: str) -> bool:
    """Return whether a ConfigMap or a Secret can have the key: it becomes the name of a file."""
    return (
        len(key) <= _MAX_SUBDOMAIN
        and _DATA_KEY.fullmatch(key) is not None
        and key != "."
        and key[:2] != ".."
    )


def is_address(address: str) -> bool:
    """Return whether a text is an IP address; as in the API server, with leading zeros too."""
    try:
        if ":" in address:
            IPv6Address(address)
            return "%" not in address
        IPv4Address(_LEADING_ZEROS.sub("", address))
    except AddressValueError:
        return False
    return True


def goes_up(path: str) -> bool:
    return ".." in path and ".." in path.split("/")


def is_inner_path(path: str) -> bool:
    """Return whether a path stays inside the folder that it is relative to."""
    return path[:1] != "/" and not goes_up(path)


def is_file_in_volume(path: str) -> bool:
    return path[:2] != ".." and is_inner_path(path)


def is_managed_by(name: str) -> bool:
    """Return whether a name is a DNS name, `/` and a path, at most 63 characters in all."""
    domain, _, path = name.partition("/")
    return (
        len(name) <= _MAX_SHORT
        and is_subdomain(domain)
        and _DOMAIN_PATH.fullmatch(path) is not None
    )


LABEL_NAME: Final = text(
    is_label_name,
    "hold lower-case letters, digits and `-`, begin and end with a letter or digit, "
    "and have 63 characters at most",
    code="name_invalid",
)
SUBDOMAIN: Final = text(
    is_subdomain,
    "be a DNS name: lower-case letters, digits, `-` and `.`, 253 characters at most",
    code="name_invalid",
)
PREFIX: Final = text(
    is_prefix,
    "begin a DNS name: lower-case letters, digits, `-` and `.`, 253 characters at most",
    code="name_invalid",
)
QUALIFIED_NAME: Final = text(
    is_qualified_name,
    "be a name of at most 63 letters, digits, `-`, `_` and `.`, "
    "optionally after a DNS name and `/`",
    code="name_invalid",
)
LABEL_VALUE: Final = text(
    is_label_value,
    "hold letters, digits, `-`, `_` and `.`, at most 63, and begin and end with a letter or digit",
    code="label_invalid",
)
PORT_NAME: Final = text(
    is_port_name,
    "hold lower-case letters, digits and single `-` between them, at least one letter, "
    "and have 15 characters at most",
    code="name_invalid",
)
_PRINTABLE: Final = "hold printable ASCII characters other than `=`"
ENV_NAME: Final = text(is_env_name, _PRINTABLE, code="name_invalid", may_be_empty=False)
#: Put before the names that `envFrom` gives; may be empty.
ENV_PREFIX: Final = text(is_env_name, _PRINTABLE, code="name_invalid")
DATA_KEY: Final = text(
    is_data_key,
    "hold letters, digits, `-`, `_` and `.`, 253 characters at most, and not begin with `..`",
    code="name_invalid",
    may_be_empty=False,
)
HEADER: Final = text(
    lambda name: _HEADER.fullmatch(name) is not None,
    "hold letters, digits and `-`",
    code="name_invalid",
)
SYSCTL: Final = text(
    lambda name: len(name) <= _MAX_SUBDOMAIN and _SYSCTL.fullmatch(name) is not None,
    "hold lower-case letters, digits, `-` and `_` in parts joined by `.` or `/`",
    code="name_invalid",
)
MANAGED_BY: Final = text(is_managed_by, "be a DNS name, `/` and a path, 63 characters at most")
ADDRESS: Final = text(is_address, "be an IP address")
SEARCH_PATH: Final = text(
    lambda path: path == "." or _SEARCH_PATH.fullmatch(path.removesuffix(".")) is not None,
    "be a DNS name",
)
INNER_PATH: Final = text(is_inner_path, "be a relative path without `..`")
FILE_IN_VOLUME: Final = text(
    is_file_in_volume, "be a relative path that does not begin with `..` or hold it"
)
PATH_WITHOUT_STEPS_UP: Final = text(
    lambda path: not goes_up(path), "not hold `..`", may_be_empty=False
)
ABSOLUTE_PATH: Final = text(lambda path: path.startswith("/"), "be an absolute path")
# A colon separates the parts of a mount; on Windows it follows the drive.
MOUNT_PATH: Final = text(
    lambda path: not (path.startswith("/") and ":" in path), "not hold `:`", may_be_empty=False
)
IMAGE: Final = text(
    lambda image: _BLANK.search(image) is None,
    "not hold white space: no image has such a name",
    code="image_invalid",
)


def port_or_name(*, zero: bool = False) -> Rule:
    """Return a rule for a port's number or name; with `zero`, 0 and "" stand for an absent port."""

    def check(value: Value, field: Field) -> None:
        if is_number(value):
            if not (1 <= value <= MAX_PORT or (zero and value == 0)):
                field.refuse(
                    "wrong_value", f"{field.name} is {value}; a port must be from 1 to {MAX_PORT}."
                )
        elif isinstance(value, str) and value.isdecimal():
            message = (
                f"{field.name} is the text {excerpt(value)}; write a port number without quotes."
            )
            field.refuse("wrong_value", message)
        elif not (zero and value == ""):
            PORT_NAME(value, field)

    return check


def count_or_percentage(value: Value, field: Field) -> None:
    """Report a value that is neither a number of pods nor a percentage."""
    if is_number(value):
        if value < 0:
            field.refuse("negative_number", f"{field.name} is {value}; it must be 0 or more.")
    elif isinstance(value, str) and _PERCENT.fullmatch(value) is None:
        field.refuse(
            "wrong_value",
            f"{field.name} is {excerpt(value)}; write a number, or a percentage such as 25%.",
        )


def at_most_all(value: Value, field: Field) -> None:
    """Report a percentage of pods over 100%."""
    if isinstance(value, str) and _PERCENT.fullmatch(value) is not None:
        share = value[:-1].lstrip("0")
        # Compared as text: Python refuses to convert numbers of over 4,300 digits.
        if len(share) > len(_ALL) or (len(share) == len(_ALL) and share > _ALL):
            field.refuse(
                "wrong_value", f"{field.name} is {excerpt(value)}; it must be 100% or less."
            )
