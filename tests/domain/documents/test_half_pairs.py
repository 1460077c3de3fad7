"""Halves of surrogate pairs, which JSON may escape, and which no answer in UTF-8 can hold."""

import json

import pytest

from benchmark_manager.domain.documents import key_changes
from benchmark_manager.domain.edits import Assignment, EditableText
from benchmark_manager.domain.results.varied import varied_paths

#: What a file has under `a`, and how a comparison shows it.
VALUES = {
    r'"\ud800"': r'"\ud800"',
    r'"x\udfffy"': r'"x\udfffy"',
    r'["\ud800"]': None,
    r'{"\ud800": 1}': r'{"\ud800": 1}',
    r'"\ud83d\ude00"': "\N{GRINNING FACE}",
    r'"\\ud800"': r"\ud800",
}


@pytest.mark.parametrize(("written", "shown"), VALUES.items())
def test_a_value_in_a_comparison_can_be_encoded(written: str, shown: str | None) -> None:
    texts = ('{"a": 1}', f'{{"a": {written}}}')
    [change] = key_changes(*texts, "json") or ()
    assert change.path == "a"
    assert change.after == ([r'"\ud800"'] if shown is None else shown)
    json.dumps(change.after, ensure_ascii=False).encode()


def test_texts_that_differ_in_a_half_are_different() -> None:
    texts = [r'{"a": "\ud800"}', r'{"a": "\ud801"}', r'{"a": "\uD800"}']
    found = varied_paths(texts, "json")
    assert found is not None
    [column] = found.paths
    assert [value and value[0] for value in column.values] == [
        r'"\ud800"',
        r'"\ud801"',
        r'"\ud800"',
    ]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (r'{"\ud800": 1}', r'"\ud800"'),
        (r'{"\\ud800": 1}', r'"\\ud800"'),
        (r'{"x": [{"name": "\ud800", "v": 1}]}', r'x[name="\ud800"].v'),
        (r'{"kind": "Job", "metadata": {"name": "\ud800"}, "v": 1}', "v"),
    ],
)
def test_a_path_can_be_encoded_and_names_its_value(text: str, path: str) -> None:
    editable = EditableText.read(text, "json")
    assert path in [value.path for value in editable.paths()]
    assert editable.value_at(path) == 1
    assert editable.edited([Assignment(path, 2)]) == text.replace(": 1", ": 2")


@pytest.mark.parametrize(
    "items",
    [r'["--seed=\ud800"]', r'["--seed", "\ud800"]', r'["--s\ud800=1"]', r'["--s\ud800", "1"]'],
)
def test_flags_can_be_encoded(items: str) -> None:
    for value in EditableText.read(f'{{"args": {items}}}', "json").paths():
        f"{value.path} {value.value}".encode()
