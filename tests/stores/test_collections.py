"""Each collection is opened by one module: that of the store which owns it."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

import benchmark_manager
from benchmark_manager.stores.database.indexes import INDEXES

_PACKAGE = Path(benchmark_manager.__path__[0])
#: These handle all collections alike: they make indexes, and copy documents undecoded.
_EVERY_COLLECTION = {"stores/database/indexes.py", "stores/operations/backup.py"}
#: Migrations change documents of forms that stores no longer read.
_MIGRATIONS = "stores/migrations/"


@pytest.fixture(scope="module")
def opened() -> dict[str, set[str]]:
    """The modules that open each collection; "" stands for names in variables."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in _PACKAGE.rglob("*.py"):
        module, text = path.relative_to(_PACKAGE).as_posix(), path.read_text(encoding="utf-8")
        # Parsing takes long, and most modules open none.
        if module.startswith(_MIGRATIONS) or ".collection(" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            match node:
                case ast.Call(func=ast.Attribute(attr="collection"), args=[argument]):
                    name = argument.value if isinstance(argument, ast.Constant) else ""
                    found[str(name)].add(module)
    return found


def test_only_one_module_opens_a_collection(opened: dict[str, set[str]]) -> None:
    shared = {name: modules for name, modules in opened.items() if name and len(modules) > 1}
    assert shared == {}


def test_names_in_variables_are_left_to_what_handles_all_collections_alike(
    opened: dict[str, set[str]],
) -> None:
    assert opened[""] == _EVERY_COLLECTION


def test_every_collection_with_indexes_is_opened_by_a_store(opened: dict[str, set[str]]) -> None:
    assert INDEXES.keys() - opened.keys() == set()
