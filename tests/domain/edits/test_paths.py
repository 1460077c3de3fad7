"""How values are found by their paths."""

import pickle
import time
from typing import Any

import pytest

from benchmark_manager.domain.documents import values_at
from benchmark_manager.domain.edits import Assignment, EditableText, EditError
from benchmark_manager.domain.edits.path_text import document_of, is_flag_path
from benchmark_manager.models.original import FileFormat

JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: bench, labels: {"app.kubernetes.io/name": x, "1": y, on: z, 2: w}}
spec:
  containers:
  - name: server
    args:
    - --tensor-parallel-size=1
    - --port
    - "8000"
    - --verbose
    - --trust=a=b
    - --twice=1
    - --twice=2
    - --offset
    - -1
    - -tp
    - '4'
    - --last
  - name: client
    args: [--rate, "0.5"]
"""
ARGS = "spec.containers[name=server].args"
STREAM = "kind: A\nmetadata: {name: x}\n---\nkind: B\nmetadata: {name: x}\nv: 1\n"


@pytest.mark.parametrize("text", [JOB, STREAM, "[1, {a: []}]\n", "x\n", "- id: a\n- id: b\n"])
def test_paths_are_those_of_differences(text: str) -> None:
    editable = EditableText.read(text, "yaml")
    reported = values_at(text, "yaml")
    assert reported is not None
    values = {one.path: one.value for one in editable.paths() if not one.is_flag}
    assert values == reported
    assert {path: editable.value_at(path) for path in reported} == reported


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.containers[0].name", "server"),
        ('spec."containers"[name="server"].name', "server"),
        (".spec.containers[1].name", "client"),
        ("metadata.labels.1", "y"),
        ('metadata.labels."1"', "y"),
        ("metadata.labels.2", "w"),
        ('metadata.labels."app.kubernetes.io/name"', "x"),
        ("#1 kind", "Job"),
        ("Job/bench kind", "Job"),
        ("spec.absent?", None),
        (f"{ARGS}[--tensor-parallel-size]", "1"),
        (f"{ARGS}[--port]", "8000"),
        (f"{ARGS}[--trust]", "a=b"),
        (f"{ARGS}[--offset]", "-1"),
        (f"{ARGS}[-tp]", "4"),
        ("spec.containers[name=client].args[--rate]", "0.5"),
    ],
)
def test_other_spellings_and_flags_are_found(path: str, value: Any) -> None:
    assert EditableText.read(JOB, "yaml").value_at(path) == value


@pytest.mark.parametrize(
    ("path", "code", "reason", "closest"),
    [
        ("metadata.nmae", "path_not_found", "", "metadata.name"),
        ("metadata.new.nmae", "path_not_found", "", "metadata.name"),
        ("", "path_not_found", "syntax", None),
        ("spec.", "path_not_found", "syntax", "spec"),
        ("spec[", "path_not_found", "syntax", "spec"),
        (f"{ARGS}[--prot]", "path_not_found", "flag", f"{ARGS}[--port]"),
        (f"{ARGS}[--prot]?", "path_not_found", "flag", f"{ARGS}[--port]"),
        (f"{ARGS}[--verbose]", "path_not_found", "no_value", None),
        (f"{ARGS}[--last]", "path_not_found", "no_value", None),
        (f"{ARGS}[--twice]", "path_ambiguous", "", None),
    ],
)
def test_what_is_not_there_is_refused_with_the_closest_path(
    path: str, code: str, reason: str, closest: str | None
) -> None:
    with pytest.raises(EditError) as caught:
        EditableText.read(JOB, "yaml").value_at(path)
    error = caught.value
    assert (error.code, error.path, error.reason) == (code, path, reason)
    assert closest is None or error.closest == closest


@pytest.mark.parametrize(
    ("path", "closest"),
    [
        ("spec.container[0].name", "spec.containers[name=server].name"),
        ("spec.containers[2]", "spec.containers"),
        ("spec.containers[2]?", "spec.containers"),
        ("spec.containers[2].x?", "spec.containers"),
        ("spec.containers[x=1]", "spec.containers"),
        ("metadata[--flag]", "metadata"),
        ("kind.x", "kind"),
    ],
)
def test_what_a_question_mark_would_not_add_has_a_reason_of_its_own(
    path: str, closest: str
) -> None:
    with pytest.raises(EditError) as caught:
        EditableText.read(JOB, "yaml").value_at(path)
    error = caught.value
    assert (error.code, error.reason, error.closest) == ("path_not_found", "not_addable", closest)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a.b", ("a.b", "")),
        ("#1 a.b", ("#1", "a.b")),
        ('Job/"b c" a', ('Job/"b c"', "a")),
        ('a"b c', ("", 'a"b c')),
    ],
)
def test_a_path_is_split_at_its_first_blank_outside_quotes(
    text: str, parts: tuple[str, str]
) -> None:
    assert document_of(text) == parts


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("B/x v", None),
        ("#2 v", None),
        ("v", "path_not_found"),
        ("C/x v", "path_not_found"),
        ("#3 v", "path_not_found"),
    ],
)
def test_a_document_of_several_is_named(path: str, code: str | None) -> None:
    editable = EditableText.read(STREAM, "yaml")
    if code is None:
        assert editable.edited([Assignment(path, 2)]) == STREAM.replace("v: 1", "v: 2")
        return
    with pytest.raises(EditError) as caught:
        editable.value_at(path)
    assert caught.value.code == code


def test_a_selector_that_two_documents_share_is_ambiguous() -> None:
    text = "kind: A\nmetadata: {{name: x, namespace: {}}}\n"
    text = f"{text.format('p')}---\n{text.format('q')}"
    editable = EditableText.read(text, "yaml")
    assert editable.value_at("A/q/x kind") == "A"
    with pytest.raises(EditError) as caught:
        editable.value_at("A/x kind")
    assert caught.value.code == "path_ambiguous"


@pytest.mark.parametrize(
    ("flag", "value", "old", "new"),
    [
        ("--tensor-parallel-size", 2, "--tensor-parallel-size=1", "--tensor-parallel-size=2"),
        ("--tensor-parallel-size", "a: b", "--tensor-parallel-size=1",
            '"--tensor-parallel-size=a: b"'),
        ("--port", 9000, '"8000"', '"9000"'),
        ("--port", {"a": [1, True]}, '"8000"', '"{\\"a\\": [1, true]}"'),
        ("--offset", 2, "- -1", '- "2"'),
        ("-tp", 8, "'4'", "'8'"),
        ("--trust", 1e-05, "--trust=a=b", "--trust=1e-05"),
    ],
)  # fmt: skip
def test_the_value_of_a_flag_is_written_as_text(flag: str, value: Any, old: str, new: str) -> None:
    text = EditableText.read(JOB, "yaml").edited([Assignment(f"{ARGS}[{flag}]", value)])
    assert text == JOB.replace(old, new)


def test_pages_learn_where_each_value_is() -> None:
    text = 'a:\n- "x" # why\n- --n=5\nb: &x 1\nc: *x\nd: !t 2\n'
    found = EditableText.read(text, "yaml").paths()
    assert [(one.path, one.line, one.column, one.end_column) for one in found] == [
        ("a[--n]", 3, 6, 7),
        ("a[0]", 2, 2, 5),
        ("a[1]", 3, 2, 7),
        ("c", 5, 3, 5),
    ]


@pytest.mark.parametrize(
    ("text", "file_format", "reason"),
    [
        ("a: {{ x }}\n", "yaml", "template"),
        ("a: [\n", "yaml", "unreadable"),
        ("a: 1\na: 2\n", "yaml", "unreadable"),
        ("{", "json", "unreadable"),
        ("a: 1\n" * 50_000, "yaml", "too_large"),
    ],
)
def test_a_text_without_values_cannot_be_edited(
    text: str, file_format: FileFormat, reason: str
) -> None:
    with pytest.raises(EditError) as caught:
        EditableText.read(text, file_format)
    assert (caught.value.code, caught.value.reason) == ("not_editable", reason)


def test_an_error_crosses_processes() -> None:
    error = pickle.loads(pickle.dumps(EditError("path_not_found", "a", "b", "flag")))  # noqa: S301
    assert (error.code, error.path, error.closest, error.reason) == (
        *("path_not_found", "a", "b", "flag"),
    )


def _definition(paths: list[str]) -> list[Assignment]:
    return [Assignment(path, "x") for path in paths]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("a:\n" + "".join(f"- --f{n}=1\n" for n in range(2_000)),
            [f"a[--f{n}]" for n in range(2_000)]),
        ("a:\n" + "".join(f"- {{name: n{n}}}\n" for n in range(2_000)),
            [f'a[name="n{n}"]' for n in range(2_000)]),
        ("".join(f"k{n}: [1]\n" for n in range(3_000)), [f"k{n}[0]" for n in range(3_000)]),
        ("a: " + "[" * 190 + "1" + "]" * 190 + "\n", ["a" + "[0]" * n for n in range(190, 191)]),
        ("a: 1\n" + " " * 300_000 + "\nb: 2\n", ["a", "b"] * 500),
        ("a: 1\nb: &x [" + "{c: " * 150 + "[" + "1, " * 3_000 + "]" + "}" * 150 + "]\nd: *x\n",
            ["a"] * 500),
        ("".join("- kind: A\n---\n" for n in range(2_000)), ["#5 [0].kind", "#6 [0].kind"]),
    ],
    ids=["flags", "names", "lists", "deep", "blanks", "aliases", "documents"],
)  # fmt: skip
def test_large_texts_take_time_in_proportion_to_their_size(text: str, paths: list[str]) -> None:
    editable = EditableText.read(text, "yaml")
    began = time.process_time()
    editable.edited(_definition(paths))
    editable.paths()
    assert time.process_time() - began < 5


def test_a_missing_path_of_a_large_text_is_found_missing_fast() -> None:
    text = "".join(f"{'long' * 40}{n}: {{a: 1}}\n" for n in range(2_000))
    editable = EditableText.read(text, "yaml")
    began = time.process_time()
    with pytest.raises(EditError):
        editable.value_at("long" * 40 + "x")
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    ("path", "is_flag"),
    [
        ("args[--max-num-seqs]", True),
        ('"a b".args[-n]', True),
        ("Job/serve spec.args[--tp]", True),
        ("items[name=[-x]", False),
        ('"args[--tp]"', False),
        ("args[0]", False),
        ("[-" * 2000, False),
    ],
    ids=["flag", "behind a blank", "of a document", "name", "key", "position", "hostile"],
)
def test_a_flag_is_what_a_path_ends_with(path: str, is_flag: bool) -> None:
    assert is_flag_path(path) is is_flag
