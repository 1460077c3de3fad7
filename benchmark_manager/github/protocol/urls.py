"""URLs of GitHub's REST API: paths of routes, and where redirects and downloads may lead."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final
from urllib.parse import quote, unquote, urlencode, urljoin, urlsplit

from benchmark_manager.errors import GitHubUnavailableError
from benchmark_manager.github.protocol.answers import GarbledAnswerError
from benchmark_manager.models.project import RepositoryAddress

REDIRECTS: Final = frozenset({301, 302, 307, 308})


def repository_path(repository: RepositoryAddress, *segments: str) -> str:
    """Return the path of a repository's route; all of a segment but its slashes is escaped."""
    parts = ["repos", repository.owner, repository.name, *segments]
    return "/".join(quote(part, safe="/") for part in parts)


def with_query(path: str, query: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(query)}"


def redirect_target(location: str | None, current: str, api_url: str) -> str:
    """Return where a redirect leads, which must be below the same API base.

    Raises:
        GitHubUnavailableError: it leads elsewhere; the token must not go there.
    """
    try:
        target = urljoin(current, location or "")
        within = _is_within(target, api_url)
    except ValueError:
        raise GitHubUnavailableError("redirected_nowhere") from None
    if not location or not within:
        raise GitHubUnavailableError("redirected_away", api_url=api_url)
    return target


def download_target(location: str | None, api_url: str) -> str:
    """Return where a download leads; it may be another host, but never from https to http.

    Raises:
        GarbledAnswerError: it leads nowhere.
    """
    try:
        parts = urlsplit(location or "")
    except ValueError:
        raise GarbledAnswerError("the download leads to what is no address") from None
    allowed = {"https"} if api_url.startswith("https:") else {"http", "https"}
    if location is None or parts.scheme not in allowed or not parts.hostname:
        raise GarbledAnswerError("the download leads to what is no address")
    return location


def host_and_port(url: str) -> tuple[str, int]:
    """Return the host and the port of a URL.

    Raises:
        GarbledAnswerError: the port is none.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        raise GarbledAnswerError("the download leads to what is no address") from None
    return parts.hostname or "", port or (443 if parts.scheme == "https" else 80)


def check_download_address(address: str, api_url: str) -> None:
    """Check that a download may come from this IP address.

    A server must not redirect this machine to itself or to link-local addresses, such as a cloud's
    metadata service, unless the API itself is on this machine.

    Raises:
        GarbledAnswerError
    """
    found = ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    found = found if mapped is None else mapped
    own = found.is_loopback or found.is_unspecified
    if found.is_link_local or (own and not _is_loopback(host_and_port(api_url)[0])):
        raise GarbledAnswerError("the download leads to an address of this machine or its link")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _is_within(url: str, api_url: str) -> bool:
    base, goal = urlsplit(api_url), urlsplit(url)
    if (base.scheme, base.netloc.lower()) != (goal.scheme, goal.netloc.lower()):
        return False
    # Dots that urljoin leaves in a whole address lead out of the base when it is requested.
    segments = unquote(goal.path).replace("\\", "/").split("/")
    return f"{goal.path}/".startswith(f"{base.path}/") and not {".", ".."} & set(segments)
