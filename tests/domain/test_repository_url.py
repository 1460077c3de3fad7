"""Addresses as people write them."""

from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmark_manager.domain.repository_url import (
    ParsedRepositoryUrl,
    check_branch,
    check_token,
    parse_repository_url,
    web_url,
)
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.project import RepositoryAddress

PUBLIC = "https://api.github.com"
ENTERPRISE = "https://git.corp.example/api/v3"
PORT = "https://ghe.example:8443/api/v3"
LOCAL = "http://127.0.0.1:3456"
BASES = (PUBLIC, ENTERPRISE, PORT, LOCAL)

OWNERS = st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,20}[A-Za-z0-9_])?", fullmatch=True)
NAMES = st.from_regex(r"[A-Za-z0-9._-]{1,20}", fullmatch=True).filter(
    lambda name: name not in {".", ".."} and not name.endswith(".git")
)
# fmt: off
PIECES = st.sampled_from([
    "https://", "http://", "ssh://", "git@", "github.com", "api.github.com", "/", ":", "@", "octo", "demo", ".git",
    "tree", "repos", "api/v3", "git.corp.example", "?", "#", "[", "]", "%2e%2e", "..", "ghp_secret", " ", "\n",
    "\ud800", ":8443", ":99999", ":x", "\x00", "\u017f", "\u212a", "\u2100", "//",
])
# fmt: on
SOUP = st.lists(PIECES, max_size=9).map("".join)


def address(text: str) -> RepositoryAddress:
    return parse_repository_url(text, BASES).repository


def complaint(text: str) -> str:
    with pytest.raises(InvalidInputError) as refused:
        parse_repository_url(text, BASES)
    return refused.value.detail


MESSAGES = {complaint("nonsense"), complaint("https://u:p@github.com/o/r"), complaint("https://gitlab.com/o/r")}


def code_of(text: str) -> str:
    with pytest.raises(InvalidInputError) as refused:
        parse_repository_url(text, BASES)
    assert refused.value.field == "github_repo_url"
    return refused.value.code


@given(OWNERS, NAMES)
def test_every_form_of_one_public_repository_gives_one_address(owner: str, name: str) -> None:
    path = f"{owner}/{name}"
    forms = [
        *(f"https://api.github.com/repos/{path}", f"https://API.GitHub.com/repos/{path}/", path, f" {path}\n"),
        *(f"https://github.com/{path}", f"http://github.com/{path}", f"https://github.com/{path}.git"),
        *(f"https://github.com:443/{path}", f"https://github.com/{path}/", f"https://github.com/{path}/tree/main"),
        *(f"git@github.com:{path}.git", f"git@github.com:{path}", f"ssh://git@github.com/{path}.git"),
        *(f"ssh://git@github.com:22/{path}.git", f"https://GitHub.COM/{path}?tab=readme#top"),
    ]
    wanted = RepositoryAddress(api_url=PUBLIC, owner=owner, name=name)
    assert {form: address(form) for form in forms} == dict.fromkeys(forms, wanted)
    assert wanted.url == f"https://api.github.com/repos/{path}"


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("https://git.corp.example/api/v3/repos/octo/demo", ENTERPRISE),
        ("https://git.corp.example/octo/demo", ENTERPRISE),
        ("git@git.corp.example:octo/demo.git", ENTERPRISE),
        ("https://ghe.example:8443/api/v3/repos/octo/demo", PORT),
        ("https://ghe.example:8443/octo/demo", PORT),
        ("git@ghe.example:octo/demo.git", PORT),
        ("ssh://git@ghe.example:2222/octo/demo.git", PORT),
        ("http://127.0.0.1:3456/repos/octo/demo", LOCAL),
        ("http://127.0.0.1:3456/octo/demo", LOCAL),
    ],
)
def test_an_address_belongs_to_the_base_of_its_host_and_port(text: str, base: str) -> None:
    assert address(text) == RepositoryAddress(api_url=base, owner="octo", name="demo")


@pytest.mark.parametrize("base", BASES)
@given(OWNERS, NAMES)
def test_what_is_shown_can_be_entered_again(base: str, owner: str, name: str) -> None:
    repository = RepositoryAddress(api_url=base, owner=owner, name=name)
    assert address(repository.url) == repository
    assert address(web_url(repository)) == repository


def test_an_ipv6_host_is_a_host_like_any_other() -> None:
    assert parse_repository_url("http://[::1]:80/o/r", ["http://[::1]/api/v3"]).repository.owner == "o"


@pytest.mark.parametrize(
    "text",
    [
        *("https://gitlab.com/octo/demo", "git@gitlab.com:octo/demo.git", "https://api.github.com.evil.example/o/r"),
        *("https://evil.example/https://api.github.com/repos/o/r", "https://github.com.evil.example/o/r"),
        *("https://ghe.example/octo/demo", "https://ghe.example:8444/octo/demo", "https://github.com:8443/o/r"),
        *("http://api.github.com/repos/octo/demo", "https://git.corp.example/repos/o/r"),
        *("https://git.corp.example/api/v4/repos/o/r", "https://git.corp.example/api/v3x/repos/o/r"),
    ],
)
def test_a_base_which_is_not_listed_is_refused(text: str) -> None:
    assert code_of(text) == "github_url_not_allowed"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "octo",
            "octo/",
            "/demo",
            "octo/demo/x",
            "octo//demo",
            "octo/..",
            "octo/.",
            "octo/.git",
            "-octo/demo",
        ),
        *("octo/de mo", "öcto/demo", "octo/d\u0435mo%", "ftp://github.com/octo/demo", "https:///octo/demo"),
        *("https://github.com", "https://github.com/octo", "https://github.com/octo/demo/issues/1"),
        *("https://github.com/octo/demo/tree", "https://github.com/octo/de\tmo", "https://[/octo/demo"),
        *("https://github.com:99999/octo/demo", "https://github.com:x/octo/demo", "o" * 101 + "/demo"),
        *("octo/" + "d" * 101, "https://tok@github.com/octo/demo", "https://u:ghp_x@github.com/octo/demo"),
        *(
            "https://api.github.com/repos/octo/demo/commits",
            "https://api.github.com/repos/octo",
            "https://a\u2100b/o/r",
        ),
    ],
)
def test_what_names_no_repository_is_refused(text: str) -> None:
    assert code_of(text) == "invalid_github_url"


def test_a_token_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_repository_url("https://x-access-token:ghp_Secret123@github.com/octo/demo", BASES)
    assert "github_token" in refused.value.detail
    assert "Secret" not in refused.value.detail


@given(SOUP | st.text())
@example("https://\u212aube.example/octo/demo")
def test_any_text_is_parsed_or_refused_with_one_of_three_messages_which_repeat_nothing(text: str) -> None:
    try:
        parsed = parse_repository_url(text, BASES)
    except InvalidInputError as error:
        told = error.detail
    else:
        assert parsed.repository.api_url in BASES
        assert parse_repository_url(parsed.repository.url, BASES) == ParsedRepositoryUrl(parsed.repository)
        return
    assert told in MESSAGES


@pytest.mark.parametrize("branch", ["main", "feature/a", "release-1.x", "ümlaut", "a/tree/b", "v1.0+rc", "50%"])
def test_a_tree_address_names_the_branch(branch: str) -> None:
    assert parse_repository_url(f"https://github.com/octo/demo/tree/{quote(branch)}", BASES).branch == branch
    assert parse_repository_url(f"https://github.com/octo/demo/tree/{quote(branch, safe='')}", BASES).branch == branch


def test_other_forms_name_no_branch() -> None:
    assert parse_repository_url("octo/demo", BASES).branch is None
    assert parse_repository_url("https://github.com/octo/demo", BASES).branch is None


@pytest.mark.parametrize(
    "branch",
    ["main", "feature/a", "a.b", "ü", "a@b", "a-", "dependabot/npm_and_yarn/x-1.2.3", "1", "head", "a{b", "x" * 255],
)
def test_what_git_takes_for_a_branch_is_accepted(branch: str) -> None:
    check_branch(branch)


@pytest.mark.parametrize(
    "branch",
    [
        *(
            "",
            "@",
            "HEAD",
            "-a",
            "a.",
            "a..b",
            "a//b",
            "/a",
            "a/",
            ".a",
            "a/.b",
            "a.lock",
            "a.lock/b",
            "a b",
            "a~1",
            "a^",
        ),
        *("a:b", "a?", "a*", "a[", "a\\b", "a@{1}", "a\x00", "a\n", "a\x7f", "x" * 256, "é" * 128),
    ],
)
def test_what_git_refuses_for_a_branch_is_refused(branch: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        check_branch(branch)
    assert refused.value.code == "invalid_branch"


@pytest.mark.parametrize("token", ["", "a b", "a\n", "a\r\nX-Evil: 1", "tökén", "a" * 256, "\x7f", "a\x00"])
def test_what_cannot_stand_in_a_header_is_no_token_and_is_not_repeated(token: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        check_token(token)
    assert refused.value.code == "invalid_token"
    assert token.strip() not in refused.value.detail or len(token.strip()) <= 3


@pytest.mark.parametrize("token", ["ghp_" + "a" * 36, "github_pat_11AB_xyz", "x", "~" * 255])
def test_tokens_of_any_form_are_accepted(token: str) -> None:
    check_token(token)
