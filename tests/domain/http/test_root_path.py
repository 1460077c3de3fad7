"""Which paths the service may be offered below."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.http.root_path import OWN_SEGMENTS, normalise_root_path
from benchmark_manager.errors import InvalidInputError


@pytest.mark.parametrize(
    ("text", "path"),
    [
        *(("", ""), ("/", ""), ("/benchmarks", "/benchmarks"), ("/benchmarks/", "/benchmarks")),
        *(
            ("/lab/bench.v2", "/lab/bench.v2"),
            ("/~a/b_c-d", "/~a/b_c-d"),
            ("/uix", "/uix"),
            ("/a/ui", "/a/ui"),
        ),
        ("/" + "a" * 254, "/" + "a" * 254),
    ],
)
def test_a_path_is_kept_without_its_last_slash(text: str, path: str) -> None:
    assert normalise_root_path(text) == path


@pytest.mark.parametrize(
    "text",
    [
        *(
            "benchmarks",
            "//",
            "//evil.example",
            "/a//b",
            "/a//",
            "///",
            "https://evil.example",
            "/a/../b",
            "/..",
            "/./a",
        ),
        *(
            "/a\\b",
            "/a b",
            "/a\n",
            "/a\r\nSet-Cookie: x",
            "/a\0",
            "/a?b",
            "/a#b",
            "/a;b",
            "/a,b",
            "/a%2fb",
            "/%2e%2e",
        ),
        *(
            "/a\"'b",
            "/<a>",
            "/{a}",
            "/벤치",
            "/\xe9",
            "/a\x7f",
            "/" + "a" * 255,
            "/ui",
            "/ui/",
            "/projects/a",
            "/docs",
        ),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        normalise_root_path(text)
    assert refused.value.code == "prefix_not_allowed"


@given(st.text(max_size=30) | st.from_regex(r"(/[ -~]{1,8}){1,4}/?", fullmatch=True))
def test_what_is_accepted_means_the_same_in_an_address_a_header_and_a_cookie(text: str) -> None:
    try:
        path = normalise_root_path(text)
    except InvalidInputError:
        return
    assert normalise_root_path(path) == path
    assert path == "" or (
        path.startswith("/") and not path.startswith("//") and not path.endswith("/")
    )
    assert path.isascii()
    assert path.isprintable()
    assert not set(path) & set("\\?#;,%\"'<> ")
    assert path.split("/")[1:2] == [] or path.split("/")[1] not in OWN_SEGMENTS | {".", ".."}
