"""Finding text, keys and values in one text: where, under which key, and how it is shown."""

import json
import re
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.search.content_search import ContentQuery, find_in_content
from benchmark_manager.domain.text.folding import fold
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.original import FileFormat
from benchmark_manager.models.search import ContentMatch, SearchIn

MANIFEST = """\
# top
apiVersion: batch/v1
kind: Job
metadata:
  name: run   # named here
spec:
  parallelism: 4
  template:
    spec:
      # about containers
      containers:
        - name: main
          image: "nvcr.io/\\u0061bc"
          resources: {limits: {nvidia.com/gpu: 8}}
          args: ["--x", serve main]
          script: |
            echo hello
            run Main now
"""
TWO = "kind: A\nmetadata: {name: x}\nsize: 1\n---\nkind: A\nmetadata: {name: y}\nsize: 2\n"


def find(
    text: str, q: str, where: SearchIn = "text", file_format: FileFormat = "yaml"
) -> list[ContentMatch]:
    return find_in_content(text, file_format, ContentQuery.of(q, where), limit=1000)


def positions(found: list[ContentMatch]) -> list[tuple[int, int, str | None]]:
    return [(match.line, match.column, match.key) for match in found]


CONTAINER = "spec.template.spec.containers[name=main]"


@pytest.mark.parametrize(
    ("q", "where", "expected"),
    [
        ("run", "text", [(5, 9, "metadata.name"), (18, 13, f"{CONTAINER}.script")]),
        ("- n", "text", [(12, 9, CONTAINER)]),
        ("# top", "text", [(1, 1, None)]),
        ("about", "text", [(10, 9, "spec.template.spec")]),
        ("named here", "text", [(5, 17, "metadata.name")]),
        ("PARALLELISM: 4", "text", [(7, 3, "spec.parallelism")]),
        ("spec", "keys", [(6, 1, "spec"), (9, 5, "spec.template.spec")]),
        ("spec.par", "keys", [(7, 3, "spec.parallelism")]),
        ("template.", "keys", [(9, 5, "spec.template.spec")]),
        ("containers.image", "keys", [(13, 11, f"{CONTAINER}.image")]),
        ("containers[name=main].image", "keys", [(13, 11, f"{CONTAINER}.image")]),
        ("nvidia.com/gpu", "keys", [(14, 32, f'{CONTAINER}.resources.limits."nvidia.com/gpu"')]),
        ('limits."NVIDIA', "keys", [(14, 32, f'{CONTAINER}.resources.limits."nvidia.com/gpu"')]),
        ("main", "keys", []),
        ("nvcr.io/abc", "values", [(13, 19, f"{CONTAINER}.image")]),
        ("8", "values", [(14, 48, f'{CONTAINER}.resources.limits."nvidia.com/gpu"')]),
        ("main now", "values", [(18, 17, f"{CONTAINER}.script")]),
        ("parallelism", "values", []),
    ],
)  # fmt: skip
def test_a_manifest_is_searched(
    q: str, where: SearchIn, expected: list[tuple[int, int, str | None]]
) -> None:
    assert positions(find(MANIFEST, q, where)) == expected


@pytest.mark.parametrize(
    ("text", "q", "expected"),
    [
        (TWO, "size", ["A/x size", "A/y size"]),
        ("a: 1\n---\na: 2\n", "a", ["#1 a", "#2 a"]),
        ("- {id: p, v: 1}\n- {id: q, v: 2}\n", "v", ["[id=p].v", "[id=q].v"]),
        ("- {name: p, v: 1}\n- {name: p, v: 2}\n", "v", ["[0].v", "[1].v"]),
        ("? [k, v]\n: v: 1\n", "v", ['("[k, v]")', '("[k, v]").v']),
        ("a: &x {v: 1}\nb: *x\n", "v", ["a.v"]),
        ("? [a, b]\n: 1\n", "a", ['("[a, b]")']),
        ("? [a, b]\n: 1\n", "[a, b]", ['("[a, b]")']),
        ("a: [{name: x, v: 1}, {name: y, v: 2}]\n", "name=y", ["a[name=y]"]),
        ("a:\n- name: x\n- name: v1.2\n", 'a[name="v1.2"]', ['a[name="v1.2"]']),
        ("a: [5, 6]\n", "a[1]", ["a[1]"]),
        ("a: [{v: 1}, {v: 2}]\n", "[1]", ["a[1]"]),
        ("'x=y': 1\n", "x=y", ['"x=y"']),
        ("v: null\n1: {v: 2}\n'1': {v: 3}\n", "v", ["v", "1.v", '"1".v']),
    ],
)  # fmt: skip
def test_paths_are_those_of_comparisons(text: str, q: str, expected: list[str]) -> None:
    assert [match.key for match in find(text, q, "keys")] == expected


@pytest.mark.parametrize(
    ("text", "q", "line", "column"),
    [
        ("model: &llama70b |\n  # weights\n  meta/llama70b\n", "llama70b", 3, 8),
        ("script: >-\n  python\n  --tp 2\n", "-", 3, 3),
        ("script: >-\n  python\n  --tp 2\n", "python --tp", 2, 3),
        ("x: | # echo hi\n  set -e\n  echo bye\n", "echo", 3, 3),
        ("x: &a a\n", "a", 1, 7),
        ("x: &a # a\n  a\n", "a", 2, 3),
        ("x: !!str str\n", "str", 1, 10),
        ("x: &s !!str 's'\n", "s", 1, 14),
        ("x: !!str &r\n  'r'\n", "r", 2, 4),
        ("x: |2\n  12\n  22\n", "2", 2, 4),
        ("x: |\n   a\n    b\n", " b", 3, 4),
        ("x: &k >+\n\n  k\n\n", "k", 3, 3),
        ("x: 'it''s' # it's\n", "it's", 1, 5),
        ('x: "a\\nn"\n', "n", 1, 8),
        ('x: "\\x41b\\u00e9c"\n', "c", 1, 16),
        ('x: "a\n  b"\n', "a b", 1, 5),
        ("x: a\n  b c\n", "a b", 1, 4),
        ("x: &e É\n", "é", 1, 7),
        ("x: one two\n  three\n  four\n", "two three f", 1, 8),
    ],
)  # fmt: skip
def test_a_value_s_position_is_that_of_its_text(text: str, q: str, line: int, column: int) -> None:
    assert [(match.line, match.column) for match in find(text, q, "values")] == [(line, column)]


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\x7f"])
@pytest.mark.parametrize("source", ["'it''s{}x'", '"it\'\\x73{}x"'])
def test_characters_for_which_stand_ins_are_read_are_found(character: str, source: str) -> None:
    assert len(find(f"a: {source.format(character)}\n", f"it's{character}x", "values")) == 1


def test_json_has_keys_and_values_too() -> None:
    text = '{"a": {"b": [1, "x\\u0041x"]},\n "b": 1}'
    assert positions(find(text, "b", "keys", "json")) == [(1, 8, "a.b"), (2, 2, "b")]
    assert positions(find(text, "xax", "values", "json")) == [(1, 18, "a.b[1]")]
    assert positions(find(text, "1", "values", "json")) == [(1, 14, "a.b[0]"), (2, 7, "b")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_and_columns_count_as_listings_do(end: str) -> None:
    text = f"\ufeffa: 1{end}{end}  b: '설정 \U0001f680 x'{end}"
    assert [(match.line, match.column) for match in find(text, "X")] == [(3, 12)]


def test_a_line_is_one_match_and_the_next_page_goes_on_behind_it() -> None:
    text = "x x x\n" * 5
    query = ContentQuery.of("x", "text")
    found = find_in_content(text, "yaml", query, limit=2)
    assert [match.line for match in found] == [1, 2]
    rest = find_in_content(text, "yaml", query, limit=9, after=found[-1].position)
    assert [match.line for match in rest] == [3, 4, 5]


@pytest.mark.parametrize("where", ["text", "keys", "values"])
def test_pages_of_one_match_find_what_one_page_finds(where: SearchIn) -> None:
    query = ContentQuery.of("e", where)
    together = find_in_content(MANIFEST, "yaml", query, limit=1000)
    one_by_one: list[ContentMatch] = []
    after = -1
    while found := find_in_content(MANIFEST, "yaml", query, limit=1, after=after):
        one_by_one += found
        after = found[0].position
    assert one_by_one == together != []


@pytest.mark.parametrize("text", ["a: [", "{{ a }}: x", "\ta: 1"])
@pytest.mark.parametrize(("where", "count"), [("text", 1), ("keys", 0), ("values", 0)])
def test_what_does_not_parse_is_searched_by_text_alone(
    text: str, where: SearchIn, count: int
) -> None:
    found = find_in_content(text, "yaml", ContentQuery.of("a", where), limit=9, parses=False)
    assert len(found) == count
    assert [match.key for match in found] == [None] * count


@pytest.mark.parametrize("at", [0, 100, 500, 999])
def test_the_excerpt_of_a_long_line_holds_what_was_found(at: int) -> None:
    line = "." * at + "needle" + "." * (1000 - at)
    [match] = find(f"# {line}\n", "needle")
    assert len(match.excerpt) <= 202
    assert match.excerpt[slice(*match.highlight)] == "needle"


def test_an_excerpt_holds_nothing_that_a_terminal_obeys() -> None:
    [match] = find("# \x1b[31m \u202e x \u2066\n", "x")
    assert match.excerpt == "# \ufffd[31m \ufffd x \ufffd"


@pytest.mark.parametrize("q", ["", " \t", "a\nb", "a\rb", "\0", "x" * 1001])
def test_what_cannot_be_a_query_is_refused(q: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        ContentQuery.of(q, "text")
    assert (refused.value.code, refused.value.field) == ("invalid_request", "query")


LETTERS = st.sampled_from("abß가\u1112\u1161\u11ab\u0301é\uff21ﬁ .:\n\r")


@given(st.text(LETTERS), st.text(st.sampled_from("abs가한éﬁ."), min_size=1, max_size=3))
def test_no_line_is_missed_and_none_is_wrong(text: str, q: str) -> None:
    wanted = fold(q)
    lines = [
        number
        for number, line in enumerate(re.split("\r\n|\r|\n", text), 1)
        if wanted in fold(line)
    ]
    found = find(text, q)
    assert [match.line for match in found] == lines
    rests = [re.split("\r|\n", text[match.position :])[0] for match in found]
    assert [rest for rest in rests if wanted not in fold(rest)] == []


SCALARS = st.one_of(
    st.integers(-9, 99), st.booleans(), st.text(st.sampled_from("ab1'\"\\: é\u0301\n"), max_size=5)
)
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.", min_size=1), inner, max_size=3)
    ),
)


def expected_values(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in expected_values(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in expected_values(inner)]
    return [value if isinstance(value, str) else json.dumps(value)]


@given(TREES, st.sampled_from(["a", "b", "1", "é", "true", "'", '"', "\\"]))
@pytest.mark.parametrize("file_format", ["json", "yaml"])
def test_every_value_is_found_however_it_is_escaped(
    file_format: FileFormat, value: object, q: str
) -> None:
    text = json.dumps(value)
    found = find(text, q, "values", file_format)
    assert len(found) == sum(fold(q) in fold(each) for each in expected_values(value))
    assert [match.position for match in found] == sorted({match.position for match in found})


def test_a_korean_value_is_found_in_either_form() -> None:
    text = f"name: {normalize('NFD', '한글')} 설정\n"
    assert positions(find(text, "한글", "values")) == [(1, 7, "name")]
    assert positions(find(text, normalize("NFD", "설정"), "values")) == [(1, 14, "name")]


def test_a_key_with_half_of_a_surrogate_pair_can_be_answered() -> None:
    [match] = find('{"a\\ud800": "b\\ud800"}', "b", "values", "json")
    assert (match.key, match.column) == (r'"a\ud800"', 14)
