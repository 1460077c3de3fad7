"""Compare docs/validation.md with the code: codes of problems, limits and versions."""

import ast
import re
from pathlib import Path
from typing import get_args

import pytest

from benchmark_manager.domain.validation import findings
from benchmark_manager.domain.validation.schemas.config_schema import MAX_SCHEMA
from benchmark_manager.domain.validation.schemas.cost import MAX_COST
from benchmark_manager.domain.validation.texts.yaml_check import MAX_EXPANDED
from benchmark_manager.domain.validation.texts.yaml_values import MAX_VALUES
from benchmark_manager.domain.yaml.events import MAX_DEPTH
from benchmark_manager.services.texts.schema_source import SchemaSource

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "validation.md").read_text("utf-8")
DOMAIN = ROOT / "benchmark_manager" / "domain"
SOURCES = [
    *(DOMAIN / "validation").rglob("*.py"),
    DOMAIN / "yaml" / "events.py",
    DOMAIN / "yaml" / "walker.py",
    ROOT / "benchmark_manager" / "services" / "texts" / "text_work.py",
]

_ROW = re.compile(r"^\| `([a-z_]+)` \| (error|warning) \| (.+) \|$", re.MULTILINE)
_CODE = re.compile(r"[a-z]+(?:_[a-z]+)*")
_REPORTING = {
    "error",
    "warning",
    "add",
    "refuse",
    "text",
    "Finding",
    "Problem",
    "YamlSyntaxError",
    "_JsonSyntaxError",
}


def reported(node: ast.AST) -> list[ast.expr]:
    """Return the parts of a node that may be codes.

    These are arguments of calls that report, the middle of a path, a code and a message, and what
    is assigned to `code`.
    """
    if isinstance(node, ast.Call):
        name = (
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        )
        return (
            [*node.args, *(keyword.value for keyword in node.keywords)]
            if name in _REPORTING
            else []
        )
    if (
        isinstance(node, (ast.Yield, ast.Return))
        and isinstance(node.value, ast.Tuple)
        and len(node.value.elts) == 3
    ):
        return [node.value.elts[1]]
    if isinstance(node, ast.Assign) and [getattr(target, "id", "") for target in node.targets] == [
        "code"
    ]:
        return [part for part in ast.walk(node.value) if isinstance(part, ast.expr)]
    return []


def codes_of(source: str) -> set[str]:
    values = [
        part.value
        for node in ast.walk(ast.parse(source))
        for part in reported(node)
        if isinstance(part, ast.Constant)
    ]
    severities = set(get_args(findings.Severity))
    return {
        value for value in values if isinstance(value, str) and _CODE.fullmatch(value)
    } - severities


def test_the_table_has_every_code_once_and_no_other() -> None:
    codes = {code for path in SOURCES for code in codes_of(path.read_text("utf-8"))}
    rows = [code for code, _, _ in _ROW.findall(PAGE)]
    assert set(rows) == codes
    assert rows == sorted(rows)
    assert len(rows) == len(codes)


def test_a_code_is_found_however_it_is_reported() -> None:
    source = (
        'findings.error("a_b", "no code", 1)\nyield path, "c_d", "x"\n'
        'code = "e" if x else "f_g"\nlist.append("h")\n'
    )
    assert codes_of(f"def f():\n    {'    '.join(source.splitlines(keepends=True))}") == {
        "a_b",
        "c_d",
        "e",
        "f_g",
    }


@pytest.mark.parametrize(
    "limit", [MAX_DEPTH, MAX_EXPANDED, MAX_VALUES, MAX_SCHEMA, MAX_COST, findings.MAX_PROBLEMS]
)
def test_every_limit_is_documented(limit: int) -> None:
    table = PAGE.partition("## Limits")[2].partition("## Speed")[0]
    assert re.search(rf"\b{limit:,}\b", table)


def test_the_versions_of_kubernetes_are_documented() -> None:
    newest, middle, oldest = SchemaSource().versions
    assert f"now {newest}, {middle} and {oldest}" in PAGE
