"""Where a browser goes after signing in."""

from urllib.parse import quote, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.access.return_paths import is_own_path, return_path

TRICKS = [
    "",
    "ui",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    " //evil.example",
    "https://evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "/ui\r\nSet-Cookie: a=b",
    "/ui\x00",
    "/%2Fevil.example",
    "/%2f%2fevil.example",
    "/%5Cevil.example",
    "/%255Cevil.example",
    "/%25252525252Fevil.example",
    "/%09/evil.example",
    "/%0d%0aSet-Cookie:a=b",
    "/ui/..//evil.example",
    "/ui/../../evil",
    "/ui/%2e%2e/evil",
    "/ui/./x",
    "/.//evil.example",
    "/ui//evil.example",
    "/ui#fragment",
    "/ui/\u00e9",
    "/ui/%zz",
    "/ui/%",
    "/" + "a" * 2000,
    "/auth/oidc?next=/ui",
    "/auth",
    "/ui/sign-in",
    "/ui/sign-in?next=/ui",
    "/ui/%73ign-in",
    "/ui/sign-out",
    "/ui/set-up",
]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/ui",
        "/ui/projects/65f0c0ffee65f0c0ffee65f0?tab=files&path=config%2Fa.yaml",
        "/ui/projects/1/files/%EA%B9%80.yaml",
        "/docs",
        "/ui?next=//evil.example",
        "/ui/authors",
    ],
)
def test_an_own_path_is_followed(path: str) -> None:
    assert return_path(path, "") == path


@pytest.mark.parametrize("text", TRICKS, ids=range(len(TRICKS)))
def test_anything_else_leads_to_the_first_page(text: str) -> None:
    assert return_path(text, "") == "/ui"


def test_without_a_wish_it_is_the_first_page() -> None:
    assert return_path(None, "/bench") == "/bench/ui"


@pytest.mark.parametrize(
    ("path", "followed"),
    [
        ("/bench/ui/projects", True),
        ("/bench/", True),
        ("/bench/ui/sign-in", False),
        ("/bench/auth/github", False),
        ("/bench", False),
        ("/ui", False),
        ("/benchmarks/ui", False),
        ("/bench/../ui", False),
        ("/bench/%2e%2e/ui", False),
        ("/bench//evil.example", False),
    ],
)
def test_below_a_root_path_only_what_is_below_it_is_followed(path: str, followed: bool) -> None:
    assert is_own_path(path, "/bench") is followed


@given(st.text(st.sampled_from("/\\.%25cCfFeE0aA9:@?#;ui \t"), max_size=20))
def test_what_is_followed_stays_at_the_service(text: str) -> None:
    home = "https://bench.example.com"
    wishes = [text, f"/{text}", f"/{quote(text, safe='/?')}"]
    followed = [urlsplit(urljoin(f"{home}/ui/sign-in", return_path(wish, ""))) for wish in wishes]
    assert [f"{url.scheme}://{url.netloc}" for url in followed] == [home] * 3
