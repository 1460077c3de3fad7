"""The documentation says what the code does: settings, commands, links, the map and the version."""

import re
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from benchmark_manager.config import Settings
from benchmark_manager.version import __version__

ROOT = Path(__file__).resolve().parents[1]
#: Each README with its words for: no value, an empty list, a default that depends on the machine.
READMES = {
    "README.md": ("unset", "empty", "user data folder"),
    "README.ko.md": ("없음", "비어 있음", "사용자 데이터 폴더"),
}
#: Variables that pages name besides settings: those of make, Compose, of the image and of Python.
OTHER_VARIABLES = {"ARGS", "PUBLISH_ADDRESS", "PUBLISH_PORT", "PYTHON_IMAGE", "SSL_CERT_FILE"}
#: Folders of every layer; docs/architecture.md lists them.
FEATURES = {
    *("projects", "originals", "variants", "sync", "releases", "validation", "search", "events"),
    *("webhooks", "operations", "access", "sweeps", "results"),
}
#: By layer: folders that all of its features use.
SHARED = {
    "api": {"http"},
    "web": {"charts", "site", "texts"},
    "cli": {"terminal"},
    "services": {"texts"},
    "stores": {"database", "embedded", "contents", "migrations"},
    "domain": {"text", "yaml", "documents", "edits", "merge", "git", "http"},
}
PAGES = sorted(
    page
    for page in ROOT.rglob("*.md")
    # What tools leave in the checkout, and the demo's sample repository, are not our pages.
    if not any(
        part.startswith((".", "sample_")) or part in {"node_modules", "dist", "build"}
        for part in page.relative_to(ROOT).parts
    )
)

_SETTING = re.compile(r"^\| `([A-Z_]+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^ {4}.*\n)+", re.MULTILINE)
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def prose(text: str) -> str:
    return _FENCED.sub("", text)


def code_blocks(text: str) -> list[str]:
    return [*_FENCED.findall(text), *_INDENTED.findall(prose(text))]


def anchor(heading: str) -> str:
    """The fragment under which GitHub shows a heading."""
    plain = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return plain.replace(" ", "-")


def documented_default(field: FieldInfo, words: tuple[str, str, str]) -> str:
    unset, empty, depends = words
    if field.default_factory is not None:
        return depends
    if field.default is None:
        return unset
    if isinstance(field.default, tuple):
        return f"`{','.join(field.default)}`" if field.default else empty
    if isinstance(field.default, bool):
        return "`on`" if field.default else "`off`"
    return f"`{field.default}`"


@pytest.mark.parametrize("readme", READMES)
def test_every_setting_is_documented_with_its_default(readme: str) -> None:
    """The table has each setting once, with the default of the code, and no other setting."""
    rows = _SETTING.findall(read(readme))
    expected = {
        name.upper(): documented_default(field, READMES[readme])
        for name, field in Settings.model_fields.items()
    }
    assert {name: default.strip() for name, default, _ in rows} == expected
    assert len(rows) == len(expected), "a setting stands in two rows"
    assert all(meaning.strip() for _, _, meaning in rows)


@pytest.mark.parametrize(
    "page", ["docs/access.md", "docs/deployment.md", "docs/guides/sign-in.md", "SECURITY.md"]
)
def test_every_setting_that_a_page_gives_a_value_exists(page: str) -> None:
    named = set(re.findall(r"\b([A-Z]+(?:_[A-Z]+)*)=", read(page)))
    settings = {name.upper() for name in Settings.model_fields}
    others = {name for name in named if name.startswith("BENCHMARK_MANAGER_")} | OTHER_VARIABLES
    assert named & settings
    assert named - settings - others == set()


def test_both_readmes_list_settings_in_one_order() -> None:
    english, korean = (
        [name for name, _, _ in _SETTING.findall(read(readme))] for readme in READMES
    )
    assert english == korean


@pytest.mark.parametrize("page", [*READMES, "CONTRIBUTING.md"])
def test_every_make_target_exists(page: str) -> None:
    """Where a page says `make something` as a command, the Makefile has it."""
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
    text = read(page)
    commands = [*code_blocks(text), *re.findall(r"`([^`\n]+)`", prose(text))]
    named = {target for code in commands for target in re.findall(r"(?:^|\s)make ([a-z]+)", code)}
    assert named
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_relative_link_is_dead(page: Path) -> None:
    """A link leads to a file of the repository and, with a fragment, to one of its headings."""
    links = _LINK.findall(prose(page.read_text("utf-8")))
    relative = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in relative if not leads_somewhere(page, link)] == []


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, fragment = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.is_relative_to(ROOT) or not target.exists():
        return False
    if not fragment:
        return True
    headings = _HEADING.findall(prose(target.read_text("utf-8")))
    return fragment in {anchor(text) for _, text in headings}


def test_the_map_names_every_folder_of_code_and_none_that_is_gone() -> None:
    """The table lists each package, except the features of API, pages and commands."""
    row = re.compile(r"^\| `(benchmark_manager/[\w/]*)` \|", re.MULTILINE)
    named = set(row.findall(read("docs/architecture.md")))
    packages = {
        f"{path.parent.relative_to(ROOT).as_posix()}/"
        for path in (ROOT / "benchmark_manager").rglob("__init__.py")
    }
    by_feature = {
        f"benchmark_manager/{layer}/{feature}/"
        for layer in ("api", "web", "cli")
        for feature in FEATURES
    }
    assert packages - by_feature - named == set(), "missing in docs/architecture.md"
    assert named - packages == set(), "named, but not there"


@pytest.mark.parametrize("layer", ["api", "web", "cli", "services", "stores", "domain"])
def test_a_feature_has_the_same_name_in_every_layer(layer: str) -> None:
    """Every folder of a layer is a feature, or one of the few that serve all features."""
    folders = {
        path.parent.name for path in (ROOT / "benchmark_manager" / layer).glob("*/__init__.py")
    }
    assert folders - FEATURES <= SHARED[layer]


def test_the_map_of_the_repository_is_true() -> None:
    """Every path in the table of the repository exists."""
    [section] = re.findall(
        r"^## The repository\n(.+?)^## ", read("docs/architecture.md"), re.MULTILINE | re.DOTALL
    )
    paths = [
        path
        for row in re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
        for path in row.split(", ")
    ]
    assert paths
    assert [path for path in paths if not (ROOT / path.strip("`")).exists()] == []


def test_every_decision_is_in_the_index() -> None:
    """And numbered without gaps."""
    decisions = sorted(path.name for path in (ROOT / "docs/decisions").glob("[0-9]*.md"))
    assert [int(name[:4]) for name in decisions] == list(range(1, len(decisions) + 1))
    index = read("docs/decisions/README.md")
    titles = {name: read(f"docs/decisions/{name}").splitlines()[0] for name in decisions}
    rows = [
        f"[{name[:4]}]({name}) | {title.removeprefix(f'# {name[:4]}: ')} |"
        for name, title in titles.items()
    ]
    assert [row for row in rows if row not in index] == []


def test_the_korean_readme_keeps_step() -> None:
    """Both have the same headings, code, lengths of tables, and links."""
    english, korean = (read(readme) for readme in READMES)
    assert [level for level, _ in _HEADING.findall(prose(korean))] == [
        level for level, _ in _HEADING.findall(prose(english))
    ]
    assert code_blocks(korean) == code_blocks(english)
    assert len(re.findall(r"^\|", korean, re.MULTILINE)) == len(
        re.findall(r"^\|", english, re.MULTILINE)
    )
    other = {"README.md": "README.ko.md", "README.ko.md": "README.md"}
    links = [other.get(link, link) for link in _LINK.findall(korean) if not link.startswith("#")]
    assert sorted(links) == sorted(
        link for link in _LINK.findall(english) if not link.startswith("#")
    )


def test_the_changelog_has_the_version() -> None:
    """The version was released, or is newer than the last release and its changes are listed."""
    sections = re.findall(
        r"^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$", read("CHANGELOG.md"), re.MULTILINE
    )
    assert sections[0] == ("Unreleased", "")
    released = [version for version, day in sections[1:] if day]
    assert len(released) == len(sections) - 1, "a release without its day"
    newest = [int(part) for part in released[0].split(".")]
    assert __version__ in released or [int(part) for part in __version__.split(".")] > newest
