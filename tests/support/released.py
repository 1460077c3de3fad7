"""Releases made and read over HTTP, and what their deliveries have to hold."""

import hashlib
import io
import subprocess
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from support.service import Json, Service

#: The members of a release in a list.
MEMBERS: Final = frozenset(
    {
        "digest",
        "name",
        "description",
        "pinned",
        "project_id",
        "created_at",
        "created_by",
        "files_count",
        "size",
        "makings_count",
    }
)
#: The members of a file of a release that no sweep made.
FILE_MEMBERS: Final = frozenset(
    {
        "path",
        "sha256",
        "size",
        "source",
        "original_sha",
        "commit_sha",
        "modified_file_id",
        "revision",
    }
)
FORMATS: Final = ("tar.gz", "zip")
#: How long an answer that never changes may be cached.
FOR_EVER: Final = "max-age=31536000, immutable"


async def make_release(service: Service, project: Json, status: int = 201, **fields: Any) -> Json:
    return await service.post(f"/projects/{project['id']}/releases", fields, status)


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def digest_of(files: Mapping[str, bytes]) -> str:
    """Return the digest of a release of these files, which is that of their SHA256SUMS."""
    ordered = sorted(files.items(), key=lambda item: item[0].encode())
    sums = "".join(f"{sha256_of(data)}  {path}\n" for path, data in ordered)
    return f"sha256:{sha256_of(sums.encode())}"


async def files_of(service: Service, release: Json) -> dict[str, bytes]:
    """Read every file of a release, one by one."""
    return {
        row["path"]: await file_of(service, release["digest"], row["path"])
        for row in release["files"]
    }


async def file_of(service: Service, digest: str, path: str) -> bytes:
    answer = await service.http.get(f"/releases/{digest}/files/{quote(path)}")
    assert answer.status_code == 200, answer.text
    return answer.content


async def archive_of(service: Service, digest: str, archive_format: str = "tar.gz") -> bytes:
    answer = await service.http.get(
        f"/releases/{digest}/archive", params={"format": archive_format}
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-length"] == str(len(answer.content))
    return answer.content


def unpacked(data: bytes, archive_format: str) -> dict[str, bytes]:
    if archive_format == "zip":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        return {member.name: _content(tar, member) for member in tar}


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    content = tar.extractfile(member)
    assert content is not None, f"{member.name} is no file"
    return content.read()


async def checked_by_coreutils(service: Service, release: Json, folder: Path) -> int:
    """Unpack the archive into `folder`; return how many of its files `sha256sum -c` accepts."""
    sums = (await service.http.get(f"/releases/{release['digest']}/SHA256SUMS")).content
    assert f"sha256:{sha256_of(sums)}" == release["digest"]
    packed = await archive_of(service, release["digest"])
    subprocess.run(["tar", "-xz"], cwd=folder, input=packed, check=True)
    command = ["sha256sum", "-c", "--strict", "-"]
    checked = subprocess.run(command, cwd=folder, input=sums, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr
    return checked.stdout.count(b": OK")
