"""Addresses as people write them."""

from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmark_manager.domain.projects.repository_url import (
    ParsedRepositoryUrl,
    RefAndPath,
    check_token,
    parse_repository_url,
    web_url,
)
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.messages import detail
from benchmark_manager.models.project import Ref, RefKind, RepositoryAddress

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
    "https://", "http://", "ssh://", "git@", "github.com", "api.github.com", "/", ":", "@",
    "octo", "demo", ".git", "tree", "repos", "api/v3", "git.corp.example", "?", "#", "[", "]",
    "%2e%2e", "..", "ghp_secret", " ", "\n",
    "\ud800", ":8443", ":99999", ":x", "\x00", "\u017f", "\u212a", "\u2100", "//",
])
# fmt: on
SOUP = st.lists(PIECES, max_size=9).map("".join)


def address(text: str) -> RepositoryAddress:
    return parse_repository_url(text, BASES).repository


def refusal(text: str) -> str:
    with pytest.raises(InvalidInputError) as refused:
        parse_repository_url(text, BASES)
    return detail(refused.value)


#: Of every way to be wrong, what is said.
MESSAGES = {
    refusal(text)
    for text in (
        *(
            "nonsense",
            "https://u:p@github.com/o/r",
            "https://gitlab.com/o/r",
            "github.com/o/r/commit/1",
        ),
        *("github.com/o/r/releases/tag/.",),
    )
}


def code_of(text: str) -> str:
    with pytest.raises(InvalidInputError) as refused:
        parse_repository_url(text, BASES)
    assert refused.value.field == "address"
    return refused.value.code


@given(OWNERS, NAMES)
def test_every_form_of_one_public_repository_gives_one_address(owner: str, name: str) -> None:
    path = f"{owner}/{name}"
    forms = [
        *(
            f"https://api.github.com/repos/{path}",
            f"https://API.GitHub.com/repos/{path}/",
            path,
            f" {path}\n",
        ),
        *(
            f"https://github.com/{path}",
            f"http://github.com/{path}",
            f"https://github.com/{path}.git",
        ),
        *(
            f"https://github.com:443/{path}",
            f"https://github.com/{path}/",
            f"https://github.com/{path}/tree/main",
        ),
        *(
            f"git@github.com:{path}.git",
            f"git@github.com:{path}",
            f"ssh://git@github.com/{path}.git",
        ),
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
    assert (
        parse_repository_url("http://[::1]:80/o/r", ["http://[::1]/api/v3"]).repository.owner == "o"
    )


@pytest.mark.parametrize(
    "text",
    [
        *(
            "https://gitlab.com/octo/demo",
            "git@gitlab.com:octo/demo.git",
            "https://api.github.com.evil.example/o/r",
        ),
        *(
            "https://evil.example/https://api.github.com/repos/o/r",
            "https://github.com.evil.example/o/r",
        ),
        *(
            "https://ghe.example/octo/demo",
            "https://ghe.example:8444/octo/demo",
            "https://github.com:8443/o/r",
        ),
        *("http://api.github.com/repos/octo/demo", "https://git.corp.example/repos/o/r"),
        *(
            "https://git.corp.example/api/v4/repos/o/r",
            "https://git.corp.example/api/v3x/repos/o/r",
        ),
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
        *(
            "octo/de mo",
            "öcto/demo",
            "octo/d\u0435mo%",
            "ftp://github.com/octo/demo",
            "https:///octo/demo",
        ),
        *("https://github.com", "https://github.com/octo", "https://github.com/octo/demo/issues/1"),
        *(
            "https://github.com/octo/demo/tree",
            "https://github.com/octo/de\tmo",
            "https://[/octo/demo",
        ),
        *(
            "https://github.com:99999/octo/demo",
            "https://github.com:x/octo/demo",
            "o" * 101 + "/demo",
        ),
        *(
            "octo/" + "d" * 101,
            "https://tok@github.com/octo/demo",
            "https://u:ghp_x@github.com/octo/demo",
        ),
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
    assert "github_token" in detail(refused.value)
    assert "Secret" not in detail(refused.value)


@given(SOUP | st.text())
@example("https://\u212aube.example/octo/demo")
def test_any_text_is_parsed_or_refused_with_one_of_a_few_messages_which_repeat_nothing(
    text: str,
) -> None:
    try:
        parsed = parse_repository_url(text, BASES)
    except InvalidInputError as error:
        message = detail(error)
    else:
        assert parsed.repository.api_url in BASES
        assert parse_repository_url(parsed.repository.url, BASES) == ParsedRepositoryUrl(
            parsed.repository
        )
        return
    assert message in MESSAGES


PAGES = {"tree": False, "commits": False, "blob": True, "raw": True, "edit": True, "blame": True}
SHA = "3f786850e387550fdab836ed7e6dc881de23001b"


def parsed(path: str) -> ParsedRepositoryUrl:
    found = parse_repository_url(f"https://github.com/octo/demo/{path}", BASES)
    assert found.repository == RepositoryAddress(api_url=PUBLIC, owner="octo", name="demo")
    return found


@pytest.mark.parametrize(
    "text", ["main", "feature/a", "release-1.x", "ümlaut", "a/tree/b", "v1.0+rc", "50%"]
)
@pytest.mark.parametrize("page", PAGES)
def test_what_follows_tree_and_the_like_may_be_a_ref_and_a_path(page: str, text: str) -> None:
    wanted = RefAndPath(text, ("branch", "tag"), PAGES[page])
    assert parsed(f"{page}/{quote(text)}?plain=1#L3") == parsed(f"{page}/{quote(text, safe='')}/")
    assert parsed(f"{page}/{quote(text)}").ref_and_path == wanted


@pytest.mark.parametrize(
    ("path", "ref", "folder"),
    [
        (f"commit/{SHA}", Ref(kind="commit", name=SHA), None),
        (f"commit/{SHA.upper()}", Ref(kind="commit", name=SHA), None),
        (f"tree/{SHA}", Ref(kind="commit", name=SHA), None),
        (f"tree/{SHA}/a/config", Ref(kind="commit", name=SHA), "a/config"),
        (f"blob/{SHA}/a/config/b.yaml", Ref(kind="commit", name=SHA), "a/config"),
        (f"blob/{SHA}/b.yaml", Ref(kind="commit", name=SHA), None),
        ("releases/tag/v1.0", Ref(kind="tag", name="v1.0"), None),
        ("releases/tag/sub%2Fv1.0", Ref(kind="tag", name="sub/v1.0"), None),
        ("", None, None),
        ("?tab=readme-ov-file#readme", None, None),
    ],
)
def test_what_an_address_says_for_certain_is_taken(
    path: str, ref: Ref | None, folder: str | None
) -> None:
    assert (parsed(path).ref, parsed(path).folder, parsed(path).ref_and_path) == (ref, folder, None)


@pytest.mark.parametrize(("prefix", "kind"), [("refs/heads/", "branch"), ("refs/tags/", "tag")])
def test_a_full_name_says_which_kind_it_is(prefix: str, kind: RefKind) -> None:
    assert parsed(f"tree/{prefix}a/b").ref_and_path == RefAndPath("a/b", (kind,), is_file=False)


@pytest.mark.parametrize(
    "path",
    [
        *(
            "issues/1",
            "pull/5",
            "tree",
            "blob/",
            "commit",
            "commit/3f78685",
            "commit/main",
            "releases",
            "releases/latest",
        ),
        *(
            "releases/tag",
            "releases/tag/a..b",
            "actions",
            "archive/refs/heads/main.zip",
            "tree/" + "a/" * 101,
        ),
    ],
)
def test_other_pages_are_refused(path: str) -> None:
    assert code_of(f"https://github.com/octo/demo/{path}") == "invalid_github_url"


@pytest.mark.parametrize(
    ("text", "is_file", "names", "name", "folder"),
    [
        ("main/config", False, ["main", "master"], "main", "config"),
        ("main", False, ["main", "maintenance"], "main", None),
        ("a/b/config", False, ["a/b", "a/bc"], "a/b", "config"),
        ("a/b/config", False, ["a", "a/b"], "a/b", "config"),
        ("a/b/config", False, ["a/b/config"], "a/b/config", None),
        ("a/b/config", False, ["ab", "a/b/c", "a/bc"], None, None),
        ("main/config/x.yaml", True, ["main"], "main", "config"),
        ("main/x.yaml", True, ["main"], "main", None),
        ("main/config//", False, ["main"], "main", "config"),
        ("a/b", False, [], None, None),
    ],
)
def test_the_longest_name_that_the_address_goes_on_with_is_the_refs(
    text: str, is_file: bool, names: list[str], name: str | None, folder: str | None
) -> None:
    found = RefAndPath(text, ("branch", "tag"), is_file)
    assert found.longest(names) == name
    assert name is None or found.folder_after(name) == folder


@given(NAMES, NAMES)
def test_every_way_to_paste_an_address_gives_the_same_repository(owner: str, name: str) -> None:
    owner = f"o{owner}".replace(".", "-").rstrip("-_") + "x"
    path = f"{owner}/{name}"
    forms = [
        *(
            f"ssh://git@ssh.github.com:443/{path}.git",
            f"ssh://git@github.com/{path}",
            f"git@ssh.github.com:{path}.git",
        ),
        *(
            f"www.github.com/{path}",
            f"https://www.github.com/{path}",
            f"github.com/{path}",
            f"GitHub.com/{path}.git/",
        ),
        *(
            f"git+https://github.com/{path}.git",
            f"git+ssh://git@github.com/{path}.git",
            f"git://github.com/{path}",
        ),
        *(
            f"github.com/{path}?tab=readme#top",
            f"{path}/",
            f"org-12@github.com:{path}.git",
            f"api.github.com/repos/{path}",
        ),
        *(
            f"https://github.com/{path}.git/",
            f"https://github.com/{path}#readme",
            f"github.com/{path}/tree/main/config",
        ),
    ]
    wanted = RepositoryAddress(api_url=PUBLIC, owner=owner, name=name)
    assert {form: address(form) for form in forms} == dict.fromkeys(forms, wanted)


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("git.corp.example/octo/demo", ENTERPRISE),
        ("www.git.corp.example/octo/demo/tree/main", ENTERPRISE),
        ("git.corp.example/api/v3/repos/octo/demo", ENTERPRISE),
        ("ghe.example:8443/octo/demo", PORT),
        ("127.0.0.1:3456/octo/demo", LOCAL),
        ("127.0.0.1:3456/repos/octo/demo", LOCAL),
    ],
)
def test_an_address_without_a_scheme_belongs_to_the_base_of_its_host(text: str, base: str) -> None:
    assert address(text) == RepositoryAddress(api_url=base, owner="octo", name="demo")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "gitlab.com/octo/demo",
            "ssh://git@ssh.gitlab.com:443/octo/demo.git",
            "www.github.com.evil.example/octo/demo",
        ),
        *(
            "www.www.github.com/octo/demo",
            "ssh.www.github.com/octo/demo",
            "169.254.169.254/octo/demo",
            "localhost:1/o/r",
        ),
        *(
            "git+https://gitlab.com/octo/demo",
            "https://ww.github.com/octo/demo",
            "evil.example:443/octo/demo",
        ),
    ],
)
def test_a_host_which_is_not_listed_is_refused_in_every_form(text: str) -> None:
    assert code_of(text) == "github_url_not_allowed"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "ghp_Secret@github.com/octo/demo",
            "u:ghp_Secret@github.com/octo/demo",
            "git+https://u:ghp_Secret@github.com/o/r",
        ),
        *(
            "https://ghp_Secret@github.com/octo/demo/tree/main",
            "https://:ghp_Secret@github.com/o/r",
            "git://ghp_Secret@github.com/o/r",
        ),
    ],
)
def test_a_credential_in_any_form_is_refused_by_name_and_not_repeated(text: str) -> None:
    assert "github_token" in refusal(text)
    assert "Secret" not in refusal(text)


@pytest.mark.parametrize(
    "token", ["", "a b", "a\n", "a\r\nX-Evil: 1", "tökén", "a" * 256, "\x7f", "a\x00"]
)
def test_what_cannot_stand_in_a_header_is_no_token_and_is_not_repeated(token: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        check_token(token)
    assert refused.value.code == "invalid_token"
    assert token.strip() not in detail(refused.value) or len(token.strip()) <= 3


@pytest.mark.parametrize("token", ["ghp_" + "a" * 36, "github_pat_11AB_xyz", "x", "~" * 255])
def test_tokens_of_any_form_are_accepted(token: str) -> None:
    check_token(token)
