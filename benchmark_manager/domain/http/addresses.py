"""Checks of the HTTP addresses that settings hold.

Their errors are `ValueError`, with the end of a sentence that begins with the setting's name.
"""

import ipaddress
from urllib.parse import SplitResult, urlsplit


def origin(url: str) -> str:
    """Return an address as `scheme://host[:port]`: in lower case, without a default port.

    Raises:
        ValueError: it has other parts.
    """
    parts = _split(url)
    if (
        parts is None
        or parts.scheme not in {"http", "https"}
        or not parts.hostname
        or parts.username is not None
        or parts.path not in {"", "/"}
        or parts.query
        or parts.fragment
        or any(char.isspace() for char in url)
    ):
        raise ValueError(
            "must be an address such as https://bench.example.com; a path belongs in ROOT_PATH"
        )
    port = (
        "" if parts.port in {None, {"http": 80, "https": 443}[parts.scheme]} else f":{parts.port}"
    )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}"


def is_cors_origin(url: str) -> bool:
    """Return whether an address may be an origin of pages that call the API."""
    parts = _split(url)
    return (
        parts is not None
        and parts.scheme in {"http", "https"}
        and bool(parts.netloc)
        and not parts.path
    )


def api_base(url: str) -> str:
    """Return the base URL of a GitHub API, with its host in lower case.

    Raises:
        ValueError: it is not an HTTP URL, or has a user name, query or fragment.
    """
    parts = _split(url)
    if (
        parts is None
        or parts.scheme not in {"http", "https"}
        or not parts.hostname
        or parts.query
        or parts.fragment
        or any(char.isspace() for char in url)
    ):
        raise ValueError(
            "must list addresses such as https://api.github.com or https://HOST/api/v3"
        )
    if parts.username is not None:
        raise ValueError("must not contain a user name or password")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def is_open_to_others(url: str) -> bool:
    """Return whether requests to this API base cross a network without encryption."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def is_loopback(host: str) -> bool:
    """Return whether a host, a name or an address without brackets, is always this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(url: str) -> SplitResult | None:
    """Return an address's parts, or None if it is malformed.

    urllib's own error is not used, since it repeats the address, which may contain a password.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts
