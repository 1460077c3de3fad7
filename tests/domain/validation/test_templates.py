"""Which texts are templates."""

import pytest

from benchmark_manager.domain.validation import validate


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("name: {{ name }}\n", (1, 7)),
        ("name: {{.Name}}\n", (1, 7)),
        ("a: 1\nlist: [{{ x }}, b]\n", (2, 8)),
        ("name: run-{{ x }}\n", (1, 11)),
        ("name: run {% if x %} y {% endif %}\n", (1, 11)),
        ("{{ x }}: 1\n{{ x }}: 2\n", (1, 1)),
        ("{% for n in sizes %}\n- size: {{ n }}\n{% endfor %}\n", (1, 1)),
        ("a: 1\n{{- if .x }}\nb: 2\n{{- end }}\n", (2, 1)),
        ('a: "{{ x }}"\nb: @broken\n', (1, 5)),
        ("# {{ x }}\nb: @broken\n", (1, 3)),
        ("a: {{ x\n  | y }}-z\n", (1, 4)),
        ("name: ${{ x }}-{{ y }}\n", (1, 16)),
    ],
)
def test_yaml_template(text: str, position: tuple[int, int]) -> None:
    verdict = validate(text, "yaml")
    assert verdict.validity == "template"
    assert [(p.line, p.column) for p in verdict.problems if p.code == "template"] == [position]
    assert {p.severity for p in verdict.problems} == {"warning"}


@pytest.mark.parametrize(
    "text",
    [
        'name: "{{ name }}"\n',
        "name: '{% x %}'\n",
        "a: 1 # {{ x }}\n",
        "# {% x %}\na: 1\n",
        "a: |\n  {{ x }}\n",
        "a: >-\n  {% x %}\n",
        "token: ${{ env.NAME }}\n",
        'a: {"{{ x }}": "{{ y }}"}\n',
        "a: x }} {{\n",
        "a: x {{ y\n",
        "a: {{x: 1} : 2}\n",
        "a: {b: {c: {d: 1}}}\n",
    ],
)
def test_ordinary_yaml(text: str) -> None:
    assert validate(text, "yaml").validity == "valid"


def test_a_broken_text_without_a_pair_is_no_template() -> None:
    assert validate("a: @x\nb: }} {{\n", "yaml").validity == "invalid"


def test_duplicate_keys_are_no_template_because_of_quoted_braces() -> None:
    assert validate('a: "{{ x }}"\na: 2\n', "yaml").validity == "invalid"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("{% if x %}\na: 1\n", []),
        ("a: 1\n{{- if .x }}\nb: 2\n{{- end }}\n", []),
        ("a: 1\n  {{ toYaml .x }}\nb: 2\n", []),
        ('a: "{{ include "x" . }}"\n', []),
        ("a: {{ x }}\n", []),
        ("a: {x: {{ v }}}\n{{ z }}: 1\n", []),
        ("{{ x }}: 1\n{{ x }}: 2\n", [("duplicate_key", 2)]),
        ('a: "{{ x }}"\nb: @broken\n', [("syntax_error", 2)]),
        ("a: {{ x }}\nb: 1\nc: @broken\n", [("syntax_error", 3)]),
    ],
)
def test_other_errors_of_a_template_become_warnings(
    text: str, codes: list[tuple[str, int]]
) -> None:
    verdict = validate(text, "yaml")
    assert verdict.validity == "template"
    assert [(p.code, p.line) for p in verdict.problems if p.code != "template"] == codes


@pytest.mark.parametrize(
    ("text", "codes"),
    [('{"a": {{ x }}}', []), ('{"a": "{{ x }}",\n"b": }', [("syntax_error", 2)])],
)
def test_what_fails_in_a_json_template(text: str, codes: list[tuple[str, int]]) -> None:
    assert [
        (p.code, p.line) for p in validate(text, "json").problems if p.code != "template"
    ] == codes


def test_the_notice_survives_many_warnings() -> None:
    text = "".join(f"k{n}: no\n" for n in range(500)) + "z: {{ x }}\n"
    assert "template" in {p.code for p in validate(text, "yaml").problems}


@pytest.mark.parametrize("text", ['{"a": {{ x }}}', '{"a": "{{ x }}",}', "{% if x %}{}{% endif %}"])
def test_json_template(text: str) -> None:
    assert validate(text, "json").validity == "template"


@pytest.mark.parametrize(
    ("text", "validity"),
    [('{"a": "{{ x }}"}', "valid"), ('{"a": "{{ x }}", "a": 1}', "invalid"), ("{{", "invalid")],
)
def test_no_json_template(text: str, validity: str) -> None:
    assert validate(text, "json").validity == validity
