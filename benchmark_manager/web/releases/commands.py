"""Shell commands that download a release, or the reason why there is none."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from benchmark_manager.domain.releases.archive import check_archivable
from benchmark_manager.domain.releases.config_map import check_config_map_size, config_map_keys
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.release import Release, ReleaseFile
from benchmark_manager.web.site.pull_commands import pull_command


@dataclass(frozen=True, slots=True)
class ReleaseCommands:
    """Shell commands; where one is None, the error says why."""

    curl: str | None
    command_line: str | None
    config_map: str | None
    no_archive: InvalidInputError | None
    no_config_map: InvalidInputError | None


def commands_for(
    release: Release, files: Sequence[ReleaseFile], service_url: str
) -> ReleaseCommands:
    """Return the commands; `service_url` is the service's address without `/` at the end."""
    no_archive, no_config_map = _no_archive(files), _no_config_map(release, files)
    url, digits = shlex.quote(service_url), release.digest.partition(":")[2]
    return ReleaseCommands(
        curl=None if no_archive else _curl(url, digits),
        command_line=None if no_archive else pull_command(release.digest, service_url),
        config_map=None
        if no_config_map
        else f"curl -fsS {url}/releases/{digits}/configmap | kubectl create -f -",
        no_archive=no_archive,
        no_config_map=no_config_map,
    )


def _curl(url: str, digits: str) -> str:
    """Return a chain of commands: a failure stops it, but does not end the shell."""
    return f"""URL={url}
DIGEST={digits}
mkdir -p files && cd files &&
curl -fsS "$URL/releases/$DIGEST/archive?format=tar.gz" | tar xz &&
curl -fsS "$URL/releases/$DIGEST/SHA256SUMS" > ../SHA256SUMS &&
test "$(sha256sum < ../SHA256SUMS | cut -d' ' -f1)" = "$DIGEST" &&
sha256sum -c --quiet ../SHA256SUMS
"""


def _no_archive(files: Sequence[ReleaseFile]) -> InvalidInputError | None:
    try:
        for file in files:
            check_archivable(file.path)
    except InvalidInputError as error:
        return error
    return None


def _no_config_map(release: Release, files: Sequence[ReleaseFile]) -> InvalidInputError | None:
    try:
        check_config_map_size(release.size)
        config_map_keys(file.path for file in files)
    except InvalidInputError as error:
        return error
    return None
