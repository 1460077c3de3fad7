"""Which paths are most like a given one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.variants.similar_paths import most_similar

_PATHS = st.lists(st.text(min_size=1, max_size=20), unique=True, max_size=20)


@pytest.mark.parametrize(
    ("path", "others", "best"),
    [
        (
            "config/llama.yaml",
            ["config/gemma.yaml", "config/v2/llama.yaml", "job/run.yaml"],
            "config/v2/llama.yaml",
        ),
        (
            "a/llama-8b.yaml",
            ["a/gemma-2b.yaml", "models/llama-8b-v2.yaml"],
            "models/llama-8b-v2.yaml",
        ),
        ("a/run.yaml", ["b/run.yaml", "a/x/run.yaml", "c/d/e/run.yaml"], "a/x/run.yaml"),
        ("a/Serve.yaml", ["a/other.yaml", "a/serve.yaml"], "a/serve.yaml"),
        (
            "config/vllm/old.yaml",
            ["config/more/0.yaml", "config/vllm/serve.yaml"],
            "config/vllm/serve.yaml",
        ),
        ("", ["b", "a"], "a"),
    ],
)
def test_the_most_similar_name_comes_first(path: str, others: list[str], best: str) -> None:
    assert most_similar(path, others, 1) == [best]


@given(path=st.text(max_size=20), others=_PATHS, count=st.integers(0, 25))
def test_it_returns_so_many_of_the_paths_each_once(
    path: str, others: list[str], count: int
) -> None:
    found = most_similar(path, others, count)
    assert len(found) == min(count, len(others)) == len(set(found))
    assert set(found) <= set(others)


@given(others=_PATHS, count=st.integers(1, 25))
def test_the_order_of_the_others_does_not_matter(others: list[str], count: int) -> None:
    paths = others[:3]
    forwards = [most_similar(path, others, count) for path in paths]
    assert forwards == [most_similar(path, others[::-1], count) for path in paths]
