"""Releases of a few and of many files, to be pulled."""

from dataclasses import dataclass
from pathlib import Path

from support.commands import ServiceCommands

FILES = {
    "config/llama.yaml": b"model: llama\n",
    "config/deep/größe 100%.json": b'{"model": "llama"}\n',
    "config/crlf.yaml": b"\xef\xbb\xbfa: 1\r\nb: 2",
    "config/back\\slash.yaml": b"a: 1\n",
    "config/large.yaml": b"# " + b"x" * 300_000 + b"\n",
    "job/run.yaml": b"apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: run\n",
}
FEW = {"config/a.yaml": b"a: 1\n", "config/b.yaml": b"b: 2\n"}


@dataclass(frozen=True, slots=True)
class Released:
    """A release of these files."""

    digest: str
    files: dict[str, bytes]


async def released(cli: ServiceCommands, name: str, files: dict[str, bytes]) -> Released:
    cli.service.repository(f"acme/{name}", files)
    project = await cli.service.synced(f"acme/{name}")
    return Released(
        (await cli.service.post(f"/projects/{project['id']}/releases", {}, 201))["digest"], files
    )


def held(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
