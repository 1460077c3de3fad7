"""Listing folders completely, however little of them GitHub tells at once."""

from typing import Protocol

import pytest

from benchmark_manager.errors import GitHubActionError, GitHubUnavailableError
from benchmark_manager.github.client import RepositoryClient
from benchmark_manager.github.listing import Listing, list_folders
from github_test_server import Entry, GitHubTestServer, Repository, Status

FILES = {
    "README.md": b"# Demo\n",
    "config/a.yaml": b"a: 1\n",
    "config/deep/b.json": b"{}\n",
    "config/deep/er/c.yaml": b"c: 1\n",
    "config/jobs/d.yaml": b"kind: Job\n",
    "configs/not-mine.yaml": b"x: 1\n",
    "job": b"a file, not a folder\n",
    "src/config/also-not-mine.yaml": b"x: 1\n",
    **{f"src/{number:03}.py": b"" for number in range(40)},
}


class Hub(Protocol):
    """The fixture's type; test folders are no packages."""

    server: GitHubTestServer

    def repository(self, token: str | None = None) -> RepositoryClient: ...


@pytest.fixture
def root(repository: Repository) -> str:
    return tree_of(repository, repository.commit(FILES))


def tree_of(repository: Repository, commit: str) -> str:
    found = repository.find_tree(commit)
    assert found is not None
    return found


def blobs(listing: Listing) -> set[str]:
    return {path for path, entry in listing.entries.items() if entry.type == "blob"}


def below(folder: str) -> set[str]:
    return {path for path in FILES if path.startswith(f"{folder}/")}


# Entries which a recursive listing holds at most: all; not the root's; not config's; hardly anything.
TRUNCATIONS = [100_000, 20, 5, 1]


@pytest.mark.parametrize("most", TRUNCATIONS)
@pytest.mark.parametrize(
    ("folders", "expected", "missing"),
    [
        (["config", "src"], below("config") | below("src"), ()),
        (["config", "config"], below("config"), ()),
        (["config", "config/jobs"], below("config"), ()),
        (["config/jobs", "config/deep"], below("config/jobs") | below("config/deep"), ()),
        (["config/deep/er", "src/config"], below("config/deep/er") | below("src/config"), ()),
        (["", "config"], set(FILES), ()),
        (["config", "nope"], below("config"), ("nope",)),
        (["nope", "neither"], set(), ("neither", "nope")),
        (["config", "config/nope"], below("config"), ("config/nope",)),
        (["nope", "nope/inner"], set(), ("nope", "nope/inner")),
        (["", "nope"], set(FILES), ("nope",)),
        (["config/deep/no/such", "Config"], set(), ("Config", "config/deep/no/such")),
        (["job", "config/a.yaml"], set(), ("config/a.yaml", "job")),
    ],
)
async def test_a_listing_is_complete_and_tells_which_folders_are_missing_however_it_is_truncated(
    hub: Hub, root: str, most: int, folders: list[str], expected: set[str], missing: tuple[str, ...]
) -> None:
    hub.server.tree_limits.recursive_entries = most
    listing = await list_folders(hub.repository(), root, folders)
    assert blobs(listing) == expected
    assert listing.missing_folders == missing
    assert all(path == entry.path for path, entry in listing.entries.items())


async def test_one_request_lists_what_is_not_truncated(hub: Hub, root: str) -> None:
    await list_folders(hub.repository(), root, ["config", "src/config"])
    assert [(r.path, r.query) for r in hub.server.requests] == [(f"/repos/octo/demo/git/trees/{root}", "recursive=1")]


async def test_a_truncated_root_is_listed_folder_by_folder_without_the_rest_of_the_repository(
    hub: Hub, root: str
) -> None:
    hub.server.tree_limits.recursive_entries = 20
    await list_folders(hub.repository(), root, ["config", "configs"])
    assert [r.query for r in hub.server.requests] == ["recursive=1", "", "recursive=1", "recursive=1"]


async def test_a_truncated_folder_is_walked(hub: Hub, root: str) -> None:
    hub.server.tree_limits.recursive_entries = 3
    listing = await list_folders(hub.repository(), root, ["config"])
    assert blobs(listing) == below("config")
    # The root recursively and flat; config recursively and flat; deep and jobs recursively.
    assert len(hub.server.requests) == 6


async def test_a_listing_truncated_by_its_bytes_is_truncated_too(hub: Hub, root: str) -> None:
    hub.server.tree_limits.recursive_bytes = 2000
    assert blobs(await list_folders(hub.repository(), root, ["config"])) == below("config")


@pytest.mark.parametrize("folders", [["src"], [""], ["config", "src"]])
async def test_a_single_folder_which_github_cannot_list_is_too_large_and_nothing_is_concluded(
    hub: Hub, root: str, folders: list[str]
) -> None:
    hub.server.tree_limits.recursive_entries = 10
    hub.server.tree_limits.folder_entries = 30
    with pytest.raises(GitHubActionError) as error:
        await list_folders(hub.repository(), root, folders)
    assert error.value.code == "tree_too_large"
    assert "the folder src " in error.value.detail


async def test_a_failure_anywhere_in_a_walk_fails_the_whole_listing(hub: Hub, root: str) -> None:
    hub.server.tree_limits.recursive_entries = 3
    hub.server.faults.add(Status(500), nth=6, times=None)
    with pytest.raises(GitHubUnavailableError):
        await list_folders(hub.repository(), root, ["config"])


@pytest.mark.parametrize("most", [100_000, 1])
async def test_equal_folders_are_listed_each_under_its_own_path(hub: Hub, repository: Repository, most: int) -> None:
    same = {f"{folder}/{name}": name.encode() for folder in ("a", "b", "c/d") for name in ("x.yaml", "y/z.yaml")}
    root = tree_of(repository, repository.commit({**same, "zzz/filler": b""}))
    hub.server.tree_limits.recursive_entries = most
    assert blobs(await list_folders(hub.repository(), root, ["a", "b", "c"])) == set(same)


@pytest.mark.parametrize("most", [100_000, 1])
async def test_of_two_names_which_json_shows_alike_the_first_counts(
    hub: Hub, repository: Repository, most: int
) -> None:
    root = tree_of(repository, repository.commit({b"config/\xe4.yaml": b"first", b"config/\xf6.yaml": b"second"}))
    hub.server.tree_limits.recursive_entries = most
    listing = await list_folders(hub.repository(), root, ["config"])
    assert blobs(listing) == {"config/\ufffd.yaml"}
    assert await hub.repository().blob(listing.entries["config/\ufffd.yaml"].sha, 5) == b"first"


@pytest.mark.parametrize("most", [100_000, 1])
async def test_links_and_submodules_are_entries_and_are_not_entered(
    hub: Hub, repository: Repository, most: int
) -> None:
    changes: dict[str, bytes | Entry | None] = {
        "config/link": Entry.symlink("../src"),
        "config/sub": Entry.submodule("1" * 40),
        "config/a.yaml": b"",
    }
    root = tree_of(repository, repository.commit(changes))
    hub.server.tree_limits.recursive_entries = most
    listing = await list_folders(hub.repository(), root, ["config"])
    kinds = {path: (entry.type, entry.mode) for path, entry in listing.entries.items()}
    assert (
        kinds.items()
        >= {
            "config/link": ("blob", "120000"),
            "config/sub": ("commit", "160000"),
            "config/a.yaml": ("blob", "100644"),
        }.items()
    )
