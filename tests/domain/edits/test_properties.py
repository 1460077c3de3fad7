"""What holds for every edit, held against PyYAML and `json`."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark_manager.domain.edits import Assignment, EditableText, EditError
from benchmark_manager.models.original import FileFormat
from support.edit_chance import EditChance
from support.edit_checks import fault_of, read_text, same_values
from support.examples import EXAMPLES

MANY = settings(max_examples=EXAMPLES, deadline=None)
FEW = settings(max_examples=EXAMPLES // 3, deadline=None)
SEEDS = st.integers(0, 2**48)
SCALARS = [
    *("word", "two words", "12", "-0.5", "1e3", "1.0e-05", "true", "no", "null", "~", '"12"'),
    *("'single'", '"double"', "'it''s'", "--flag=1", "--flag", "--other=x y", "2024-01-01"),
]
#: What stands in lines of its own only.
BLOCKS = [
    *("|\n{0}one\n{0}  two\n", "|-  # mark\n{0}one\n", ">\n{0}folded\n{0}lines\n"),
    "|+\n{0}a\n\n",
]


class _Written:
    """A text of YAML in a layout by chance: quotes, brackets, comments, blank lines, anchors."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311  nothing secret
        self.anchors = 0

    def text(self) -> str:
        count = self.random.choice([1, 1, 1, 2, 3])
        documents = [self.mapping(0, 3) for _ in range(count)]
        text = self.random.choice(["", "# top\n", "---\n"]) + "---\n".join(documents)
        if self.random.random() < 0.2:
            text = f"{text}last: 1"
        if self.random.random() < 0.2:
            text = text.replace("\n", "\r\n")
        return text if self.random.random() < 0.9 else f"\ufeff{text}"

    def mapping(self, column: int, depth: int) -> str:
        keys = self.random.sample(["a", "b", '"c d"', "e-f", "'1'", "kind", "args", "x/y"], 3)
        blanks = " " * column
        lines = [
            f"{self.above(blanks)}{blanks}{key}:{self.value(column, depth - 1)}" for key in keys
        ]
        return "".join(lines)

    def above(self, blanks: str) -> str:
        return self.random.choice(["", "", "", "\n", f"{blanks}# above\n"])

    def value(self, column: int, depth: int) -> str:
        kinds = ["scalar", "scalar", "flow", "lines", "empty"]
        kind = self.random.choice([*kinds, "mapping", "list", "items"] if depth else kinds)
        deeper = column + self.random.choice([1, 2, 4])
        match kind:
            case "mapping":
                return f"{self.behind()}\n{self.mapping(deeper, depth)}"
            case "list" | "items":
                step = column + self.random.choice([0, 2])
                return f"{self.behind()}\n{self.sequence(step, depth, named=kind == 'items')}"
            case "lines":
                return f" {self.random.choice(BLOCKS).format(' ' * deeper)}"
            case "empty":
                return f"{self.behind()}\n"
            case "flow":
                return f" {self.flow(2)}{self.behind()}\n"
            case _:
                return f" {self.anchor()}{self.random.choice(SCALARS)}{self.behind()}\n"

    def anchor(self) -> str:
        if self.random.random() < 0.9:
            return ""
        self.anchors += 1
        return f"&a{self.anchors} "

    def behind(self) -> str:
        return self.random.choice(["", "", "", " # behind", "  "])

    def sequence(self, column: int, depth: int, *, named: bool) -> str:
        blanks = " " * column
        lines = []
        for number in range(self.random.choice([1, 2, 3])):
            if named:
                inner = self.mapping(column + 2, depth)
                lines.append(f"{blanks}- name: n{number}\n{inner}")
            elif self.random.random() < 0.2:
                lines.append(f"{blanks}- {self.flow(1)}{self.behind()}\n")
            else:
                lines.append(f"{blanks}- {self.random.choice(SCALARS)}{self.behind()}\n")
        return "".join(lines)

    def flow(self, depth: int) -> str:
        if not depth or self.random.random() < 0.3:
            return self.random.choice([one for one in SCALARS if " " not in one])
        parts = [self.flow(depth - 1) for _ in range(self.random.randrange(4))]
        if self.random.random() < 0.5:
            return f"[{', '.join(parts)}]"
        return f"{{{', '.join(f'k{number}: {part}' for number, part in enumerate(parts))}}}"


def _json(seed: int) -> str:
    made = EditChance(f"json {seed}")
    value = {"first": made.value(3), "second": [made.value(2)], "third": made.value(3)}
    indent: Any = made.random.choice([None, 2, 4, "\t"])
    text = json.dumps(value, indent=indent, ensure_ascii=made.random.random() < 0.5)
    return text + made.random.choice(["", "\n"])


def _check(text: str, file_format: FileFormat, seed: int) -> None:
    chance = EditChance(str(seed))
    read = read_text(text, file_format, chance.random)
    assert read is not None, text
    edits = chance.edits(read)
    assignments = [Assignment(edit.path, edit.value) for edit in edits]
    try:
        result = EditableText.read(text, file_format).edited(assignments)
    except EditError as error:
        pytest.fail(f"{error.args} for {assignments} in\n{text}")
    fault = fault_of(read, result, edits)
    assert not fault, f"{fault}: {assignments} in\n{text}\ngave\n{result}"


@given(SEEDS)
@MANY
def test_an_edited_yaml_is_the_base_with_exactly_the_assignments(seed: int) -> None:
    _check(_Written(seed).text(), "yaml", seed)


@given(SEEDS)
@MANY
def test_an_edited_json_is_the_base_with_exactly_the_assignments(seed: int) -> None:
    _check(_json(seed), "json", seed)


@given(SEEDS)
@FEW
def test_an_edit_is_the_same_after_any_others(seed: int) -> None:
    text = _Written(seed).text()
    chance = EditChance(str(seed))
    read = read_text(text, "yaml", chance.random)
    assert read is not None
    definitions = [
        [Assignment(edit.path, edit.value) for edit in chance.edits(read)] for _ in range(5)
    ]
    used = EditableText.read(text, "yaml")
    results = [used.edited(definition) for definition in definitions]
    assert results == [EditableText.read(text, "yaml").edited(each) for each in definitions]


@given(SEEDS)
@FEW
def test_every_settable_value_is_found_by_its_path(seed: int) -> None:
    editable = EditableText.read(_Written(seed).text(), "yaml")
    values = editable.paths()
    assert len({one.path for one in values}) == len(values)
    assert all(same_values(editable.value_at(one.path), one.value) for one in values)
