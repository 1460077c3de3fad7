"""Ways to keep a copy of two folders of a GitHub repository, each as its users would use it.

Every way copies the same repository from the same server. `first` makes the copy, `unchanged` finds
that nothing changed, `changed` copies so many files of a later commit.
"""

import asyncio
import itertools
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Protocol

import httpx2 as httpx
from github import Auth, Github
from github.ContentFile import ContentFile

from benchmark_manager.domain.git.objects import blob_id
from benchmarks.harness.subjects import Subject
from github_test_server import git

_TIMEOUT: Final = 3600.0
_SHA_TYPE: Final = "application/vnd.github.sha"
_RAW_TYPE: Final = "application/vnd.github.raw+json"


class Way(Protocol):
    """One way, for one repository of the server."""

    async def first(self) -> None: ...
    async def unchanged(self) -> None: ...
    async def changed(self, count: int, /) -> None: ...


class BenchmarkManager:
    """Registers the project and requests manual syncs, which do what polls do, both over HTTP."""

    def __init__(
        self, service: httpx.AsyncClient, full_name: str, subject: Subject, token: str | None
    ) -> None:
        self._service = service
        self._full_name = full_name
        self._subject = subject
        self._token = token
        self._project = ""

    async def first(self) -> None:
        body = {
            "name": self._full_name,
            "github_repo_url": self._full_name,
            "github_token": self._token,
            "config_folder": self._subject.config_folder,
            "job_folder": self._subject.job_folder,
            "polling_interval": 0,
        }
        answer = await self._service.post("/projects", json=body)
        assert answer.is_success, answer.text
        self._project = answer.json()["id"]
        sync = await self._sync()
        assert sync["synced_files"] == len(self._subject.contents), sync["message"]

    async def unchanged(self) -> None:
        sync = await self._sync()
        assert sync["status"] == "unchanged", sync["message"]

    async def changed(self, count: int) -> None:
        sync = await self._sync()
        assert sync["updated"] == count, sync["message"]

    async def _sync(self) -> dict[str, object]:
        answer = await self._service.post(f"/projects/{self._project}/sync")
        assert answer.is_success, answer.text
        found: dict[str, object] = answer.json()
        return found


class PlainWay:
    """Requests every folder and every file at every poll with PyGithub, in several threads.

    With a `sample`, only so many folders and files are requested, and the time is extrapolated.
    PyGithub's own pause of a quarter of a second between requests is turned off.
    """

    def __init__(
        self, api_url: str, full_name: str, subject: Subject, token: str, threads: int
    ) -> None:
        self._api_url = api_url
        self._full_name = full_name
        self._subject = subject
        self._token = token
        self._threads = threads
        self._of_thread = threading.local()
        self.seconds = 0.0

    @property
    def requests(self) -> int:
        """Return how many requests a copy takes."""
        return len(self._subject.folders) + len(self._subject.contents)

    async def copy(self, sample: int | None) -> int:
        """Copy all files or a sample, return their number, and set `seconds` to a whole copy's."""
        return await asyncio.to_thread(self._copy, sample)

    def _copy(self, sample: int | None) -> int:
        with ThreadPoolExecutor(self._threads) as pool:
            begin = time.perf_counter()
            folders, files = self._list(pool, sample)
            listed = time.perf_counter()
            wanted = files[:sample]
            found = list(pool.map(lambda file: len(file.decoded_content), wanted))
            read = time.perf_counter()
        if sample is None:
            assert len(found) == len(self._subject.contents)
            assert sum(found) >= self._subject.size
        of_folder, of_file = (listed - begin) / folders, (read - listed) / len(wanted)
        self.seconds = of_folder * len(self._subject.folders) + of_file * len(
            self._subject.contents
        )
        return len(wanted)

    def _list(self, pool: ThreadPoolExecutor, sample: int | None) -> tuple[int, list[ContentFile]]:
        """List folders, level by level; return their number and the files found."""
        files: list[ContentFile] = []
        level, folders = [self._subject.config_folder, self._subject.job_folder], 0
        while level:
            level = level if sample is None else level[: max(0, sample - folders)]
            entries = list(itertools.chain.from_iterable(pool.map(self._entries, level)))
            folders += len(level)
            files += [
                entry
                for entry in entries
                if entry.type == "file" and entry.path in self._subject.contents
            ]
            level = [entry.path for entry in entries if entry.type == "dir"]
        return folders, files

    def _entries(self, folder: str) -> list[ContentFile]:
        if not hasattr(self._of_thread, "repository"):
            # PyGithub's objects are not made for several threads.
            client = Github(
                auth=Auth.Token(self._token),
                base_url=self._api_url,
                seconds_between_requests=None,
                seconds_between_writes=None,
            )
            self._of_thread.repository = client.get_repo(self._full_name, lazy=True)
        found = self._of_thread.repository.get_contents(folder)
        return found if isinstance(found, list) else [found]


class SparseClone:
    """A shallow, sparse, partial clone with git: one commit's trees, and two folders' contents."""

    def __init__(self, url: str, folder: Path, subject: Subject) -> None:
        self._url = url
        self._folder = folder
        self._subject = subject

    async def first(self) -> None:
        options = ("--quiet", "--depth=1", "--filter=blob:none", "--sparse")
        await self._git("clone", *options, self._url, str(self._folder), at=self._folder.parent)
        await self._git(
            "sparse-checkout", "set", self._subject.config_folder, self._subject.job_folder
        )

    async def unchanged(self) -> None:
        await self._git("ls-remote", "origin", "HEAD")

    async def changed(self, _: int) -> None:
        await self._git("fetch", "--quiet", "--depth=1", "origin", "HEAD")
        await self._git("checkout", "--quiet", "--detach", "FETCH_HEAD")

    def holds(self, contents: Mapping[str, bytes]) -> bool:
        return all(
            (self._folder / path).read_bytes() == content for path, content in contents.items()
        )

    async def _git(self, *arguments: str, at: Path | None = None) -> str:
        done = await asyncio.to_thread(
            subprocess.run,
            [git.executable(), *arguments],
            cwd=at or self._folder,
            env=git.environment(),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()


class Floor:
    """The lower bound: the head's commit id, and then all needed bytes in one answer.

    It uses one connection, which is open already, and neither checks nor stores anything. `bundles`
    are the blobs with those bytes, in a repository of their own, by the number of changed files; 0
    is the first copy.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        full_name: str,
        bundle_repository: str,
        bundles: Mapping[int, bytes],
        token: str,
    ) -> None:
        self._http = http
        self._head_path = f"/repos/{full_name}/commits/HEAD"
        self._blobs_path = f"/repos/{bundle_repository}/git/blobs"
        self._bundles = {count: (blob_id(data), len(data)) for count, data in bundles.items()}
        self._authorization = {"Authorization": f"Bearer {token}"}
        self._head = ""

    async def connect(self) -> None:
        """Open the connection, which is no part of the measurement."""
        await self._http.get("/rate_limit", headers=self._authorization)

    async def first(self) -> None:
        await self.changed(0)

    async def unchanged(self) -> None:
        headers = {"If-None-Match": f'"{self._head}"', "Accept": _SHA_TYPE, **self._authorization}
        answer = await self._http.get(self._head_path, headers=headers)
        assert answer.status_code == httpx.codes.NOT_MODIFIED

    async def changed(self, count: int) -> None:
        head = await self._http.get(
            self._head_path, headers={"Accept": _SHA_TYPE, **self._authorization}
        )
        assert head.is_success, head.text
        assert head.text != self._head
        self._head = head.text
        sha, size = self._bundles[count]
        answer = await self._http.get(
            f"{self._blobs_path}/{sha}", headers={"Accept": _RAW_TYPE, **self._authorization}
        )
        assert len(answer.content) == size


def bundles(
    subject: Subject, changes: Iterable[tuple[int, Mapping[str, bytes]]]
) -> dict[int, bytes]:
    """Return all contents as one, and those of each commit's changed files."""
    return {0: _joined(list(subject.contents.values()))} | {
        count: _joined(list(changed.values())) for count, changed in changes
    }


def _joined(contents: Sequence[bytes]) -> bytes:
    return b"".join(contents)
