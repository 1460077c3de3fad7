"""Folders are listed completely, however little GitHub lists at once."""

import asyncio
import os
from collections.abc import Iterator

import pytest

from benchmark_manager.domain.sync.entry_names import is_utf8
from benchmark_manager.errors import GitHubActionError, GitHubError, GitHubUnavailableError
from benchmark_manager.github.reading.listing import FolderLister, FolderListing
from benchmark_manager.messages import detail
from github_test_server import Delay, Entry, GitHubTestServer, Repository, Status
from support.hub import Hub

TOKEN = "ghp_test"

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


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """A repository with one commit, which no test changes."""
    with Repository.init(tmp_path_factory.mktemp("listing") / "demo.git") as repository:
        repository.commit(FILES)
        yield repository


@pytest.fixture
def commit(github: GitHubTestServer, demo: Repository) -> str:
    """Its commit; the repository is octo/demo."""
    github.add("octo/demo", demo)
    found = demo.find_commit("main")
    assert found is not None
    return found.sha


@pytest.fixture(params=["by commit", "by folder"])
def way(request: pytest.FixtureRequest) -> str:
    """A listing of the commit, or of each folder by the tree that GraphQL has reported."""
    return str(request.param)


async def listed(hub: Hub, commit: str, folders: list[str], way: str) -> FolderListing:
    """The lister's result; only its own requests are left in the server's log."""
    if way == "by commit":
        hub.server.requests.reset()
        return (await FolderLister().by_commit(hub.repository(), commit, folders)).folders
    hub.server.hosting.add_token(TOKEN)
    answer = await hub.repository(TOKEN).commit_with_folders(commit, tuple(folders))
    assert answer is not None
    assert answer.commit.folder_trees is not None
    hub.server.requests.reset()
    return await FolderLister().by_folder(hub.repository(TOKEN), answer.commit.folder_trees)


def blobs(listing: FolderListing) -> set[str]:
    return {path for path, entry in listing.entries.items() if entry.type == "blob"}


def below(folder: str) -> set[str]:
    return {path for path in FILES if path.startswith(f"{folder}/")}


# Entries which a recursive listing holds at most: all; not the root's; not config's; hardly
# anything.
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
async def test_a_listing_is_complete_and_names_missing_folders_however_it_is_truncated(
    hub: Hub,
    commit: str,
    way: str,
    most: int,
    folders: list[str],
    expected: set[str],
    missing: tuple[str, ...],
) -> None:
    hub.server.limits.set(None, limit=1000)
    hub.server.tree_limits.recursive_entries = most
    listing = await listed(hub, commit, folders, way)
    assert blobs(listing) == expected
    assert listing.missing_folders == missing
    assert all(path == entry.path for path, entry in listing.entries.items())


async def test_one_request_lists_a_commit_which_is_not_truncated(hub: Hub, commit: str) -> None:
    await listed(hub, commit, ["config", "src/config"], "by commit")
    sent = [(r.path, r.query) for r in hub.server.requests]
    assert sent == [(f"/repos/octo/demo/git/trees/{commit}", "recursive=1")]


async def test_one_request_a_folder_lists_what_is_not_truncated_and_none_what_lies_in_another(
    hub: Hub, commit: str
) -> None:
    await listed(hub, commit, ["config", "src/config", "config/deep", "nope"], "by folder")
    assert [r.query for r in hub.server.requests] == ["recursive=1"] * 2


async def test_a_commits_listing_has_its_folders_trees_and_the_size_of_all_files(
    hub: Hub, demo: Repository, commit: str
) -> None:
    hub.server.hosting.add_token(TOKEN)
    answer = await hub.repository(TOKEN).commit_with_folders(commit, ("config", "nope", ""))
    found = await FolderLister().by_commit(hub.repository(), commit, ["config", "nope"])
    assert answer is not None
    assert answer.commit.folder_trees is not None
    trees = {"config": answer.commit.folder_trees["config"], "nope": None}
    assert found.commit.folder_trees == trees
    assert found.commit.tree_sha in {None, demo.find_tree(commit)}
    assert found.total_size == sum(map(len, FILES.values()))


async def test_a_server_which_lists_no_commit_is_asked_for_its_tree(
    hub: Hub, demo: Repository, commit: str
) -> None:
    hub.server.faults.add(Status(404), path=f"/git/trees/{commit}", times=None)
    found = await FolderLister().by_commit(hub.repository(), commit, ["config"])
    assert blobs(found.folders) == below("config")
    assert found.commit.tree_sha == demo.find_tree(commit)
    assert found.commit.committed_at is not None
    assert [r.path.split("/")[4:6] for r in hub.server.requests] == [
        ["git", "trees"],
        ["git", "commits"],
        ["git", "trees"],
    ]


async def test_a_truncated_commit_is_listed_folder_by_folder_without_the_rest_of_the_repository(
    hub: Hub, commit: str
) -> None:
    hub.server.tree_limits.recursive_entries = 20
    await listed(hub, commit, ["config", "configs"], "by commit")
    # The commit recursively; what its root tree is; the root flat; both folders recursively.
    assert [(r.path.split("/")[5], r.query) for r in hub.server.requests] == [
        ("trees", "recursive=1"),
        ("commits", ""),
        ("trees", ""),
        ("trees", "recursive=1"),
        ("trees", "recursive=1"),
    ]


@pytest.mark.parametrize(
    ("way", "requests"), [("by commit", 7), ("by folder", 4)], indirect=["way"]
)
async def test_a_truncated_folder_is_walked(hub: Hub, commit: str, way: str, requests: int) -> None:
    hub.server.tree_limits.recursive_entries = 3
    assert blobs(await listed(hub, commit, ["config"], way)) == below("config")
    # Config recursively and flat; deep and jobs recursively; and what led to config.
    assert len(hub.server.requests) == requests


async def test_a_listing_truncated_by_its_bytes_is_truncated_too(hub: Hub, commit: str) -> None:
    hub.server.tree_limits.recursive_bytes = 2000
    assert blobs(await listed(hub, commit, ["config"], "by commit")) == below("config")
    assert len(hub.server.requests) > 1


async def test_who_wants_the_same_tree_at_once_or_soon_after_shares_one_listing(
    hub: Hub, commit: str
) -> None:
    lister = FolderLister()
    client = hub.repository()
    found = await asyncio.gather(*(lister.by_commit(client, commit, ["config"]) for _ in range(3)))
    found.append(await lister.by_commit(client, commit, ["src"]))
    assert [blobs(each.folders) for each in found] == [below("config")] * 3 + [below("src")]
    assert len(hub.server.requests) == 1


async def test_another_credential_does_not_get_a_listing_that_it_may_not_read(
    hub: Hub, commit: str
) -> None:
    lister = FolderLister()
    hub.server.hosting.make_private("octo/demo", [TOKEN])
    hub.server.hosting.add_token("ghp_other")
    await lister.by_commit(hub.repository(TOKEN), commit, ["config"])
    with pytest.raises(GitHubError):
        await lister.by_commit(hub.repository("ghp_other"), commit, ["config"])


@pytest.mark.parametrize("folders", [["src"], [""], ["config", "src"]])
async def test_a_single_folder_which_github_cannot_list_is_too_large_and_nothing_is_concluded(
    hub: Hub, commit: str, way: str, folders: list[str]
) -> None:
    hub.server.tree_limits.recursive_entries = 10
    hub.server.tree_limits.folder_entries = 30
    with pytest.raises(GitHubActionError) as error:
        await listed(hub, commit, folders, way)
    assert error.value.code == "tree_too_large"
    assert "the folder src " in detail(error.value)


@pytest.mark.parametrize("late", ["config", "src"])
async def test_of_two_failures_the_first_folders_is_reported_whichever_came_first(
    hub: Hub, commit: str, late: str
) -> None:
    hub.server.hosting.add_token(TOKEN)
    answer = await hub.repository(TOKEN).commit_with_folders(commit, ("config", "src"))
    assert answer is not None
    trees = answer.commit.folder_trees
    assert trees is not None
    hub.server.faults.add(Status(403), path=f"/{trees['config']}$", times=None)
    hub.server.faults.add(Status(401), path=f"/{trees['src']}$", times=None)
    hub.server.faults.add(Delay(0.1), path=f"/{trees[late]}$", times=None)
    with pytest.raises(GitHubActionError) as error:
        await FolderLister().by_folder(hub.repository(TOKEN), trees)
    assert error.value.code == "github_forbidden"


@pytest.mark.parametrize("nth", range(1, 8))
async def test_a_failure_anywhere_in_a_walk_fails_the_whole_listing(
    hub: Hub, commit: str, nth: int
) -> None:
    hub.server.tree_limits.recursive_entries = 3
    hub.server.faults.add(Status(500), nth=nth, times=None)
    with pytest.raises(GitHubUnavailableError):
        await listed(hub, commit, ["config"], "by commit")


@pytest.mark.parametrize("most", [100_000, 1])
async def test_equal_folders_are_listed_each_under_its_own_path(
    hub: Hub, repository: Repository, way: str, most: int
) -> None:
    same = {
        f"{folder}/{name}": name.encode()
        for folder in ("a", "b", "c/d")
        for name in ("x.yaml", "y/z.yaml")
    }
    commit = repository.commit({**same, "zzz/filler": b""})
    hub.server.tree_limits.recursive_entries = most
    assert blobs(await listed(hub, commit, ["a", "b", "c"], way)) == set(same)


@pytest.mark.parametrize("most", [100_000, 1])
async def test_names_which_json_shows_alike_are_kept_apart(
    hub: Hub, repository: Repository, way: str, most: int
) -> None:
    """GraphQL reports their bytes; without it, they are marked as not known."""
    files: dict[bytes | str, bytes] = {
        b"config/\xe4.yaml": b"first",
        b"config/\xf6.yaml": b"second",
        "config/\ufffd.yaml": b"right",
        b"config/d\xe9/a.yaml": b"third",
        b"config/d\xe8/a.yaml": b"fourth",
        "config/d\ufffd/a.yaml": b"real",
        "config/\ufffd/\ufffd.yaml": b"also real",
    }
    commit = repository.commit({os.fsencode(path): data for path, data in files.items()})
    hub.server.tree_limits.recursive_entries = most
    listing = await listed(hub, commit, ["config"], way)
    contents = {
        path: await hub.repository().blob(listing.entries[path].sha, 9) for path in blobs(listing)
    }
    if way == "by folder":
        assert contents == {os.fsdecode(path): data for path, data in files.items()}
    else:
        assert sorted(contents.values()) == sorted(files.values())
        assert {path for path in contents if is_utf8(path)} == set()


@pytest.mark.parametrize("most", [100_000, 1])
async def test_a_name_that_holds_the_replacement_character_is_proved_without_asking(
    hub: Hub, repository: Repository, way: str, most: int
) -> None:
    files = {"config/\ufffd.yaml": b"1", "config/\ufffd\ufffd/a.yaml": b"2", "config/é.yaml": b"3"}
    commit = repository.commit({os.fsencode(path): data for path, data in files.items()})
    hub.server.tree_limits.recursive_entries = most
    assert blobs(await listed(hub, commit, ["config"], way)) == set(files)
    assert hub.server.requests.count("graphql") == 0


async def test_a_folder_is_not_taken_for_one_that_json_shows_alike(
    hub: Hub, repository: Repository, way: str
) -> None:
    commit = repository.commit(
        {b"conf\xe9/a.yaml": b"wrong", os.fsencode("conf\ufffd/a.yaml"): b"right"}
    )
    hub.server.hosting.add_token(TOKEN)
    listing = await listed(hub, commit, ["conf\ufffd"], way)
    assert [await hub.repository().blob(listing.entries[p].sha, 5) for p in blobs(listing)] in (
        [b"right"],
        [],
    )


@pytest.mark.parametrize("most", [100_000, 1])
async def test_links_and_submodules_are_entries_and_are_not_entered(
    hub: Hub, repository: Repository, way: str, most: int
) -> None:
    changes: dict[str, bytes | Entry | None] = {
        "config/link": Entry.symlink("../src"),
        "config/sub": Entry.submodule("1" * 40),
        "config/a.yaml": b"",
    }
    commit = repository.commit(changes)
    hub.server.tree_limits.recursive_entries = most
    listing = await listed(hub, commit, ["config"], way)
    kinds = {path: (entry.type, entry.mode) for path, entry in listing.entries.items()}
    assert (
        kinds.items()
        >= {
            "config/link": ("blob", "120000"),
            "config/sub": ("commit", "160000"),
            "config/a.yaml": ("blob", "100644"),
        }.items()
    )
