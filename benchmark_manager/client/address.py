"""The address of a service, as it is compared and shown."""

from typing import Final

import httpx2 as httpx

from benchmark_manager.client.errors import InvalidAddressError

DEFAULT_URL: Final = "http://127.0.0.1:8001"
URL_VARIABLE: Final = "BENCHMARK_MANAGER_URL"


def parse_address(url: str) -> httpx.URL:
    """Return the address of a service.

    Raises:
        InvalidAddressError: `url` is not an HTTP URL.
    """
    try:
        address = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError):
        address = httpx.URL("")
    if address.scheme not in {"http", "https"} or not address.host:
        raise InvalidAddressError(f"The service's address is not a URL such as {DEFAULT_URL}.")
    return address


def shown(address: httpx.URL) -> str:
    """Return an address in one form, without the user name and password that it may have."""
    host = address.netloc.decode("ascii", "replace")
    return f"{address.scheme}://{host}{address.path.rstrip('/')}"


def is_at(url: httpx.URL, address: httpx.URL) -> bool:
    """Return whether a request goes to the service at this address, and to no other server."""
    return (url.scheme, url.netloc) == (address.scheme, address.netloc)
