"""Queries parsed and validated, once for all which differ in their strings alone.

Parsing and validating 50 aliases costs ten times what running them does, and a client which writes
names and object ids into its queries never sends the same text twice.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from github_test_server.graphql_schema import SCHEMA

if TYPE_CHECKING:
    from graphql import DocumentNode, GraphQLError, GraphQLSchema, StringValueNode

_KEPT = 256
_STRING = re.compile(r'"([^"\n\r]*)"')
_SUBTLE = re.compile(r'\\|#|"""')
"""Escapes, comments and block strings: with these, a quotation mark may not end a string."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A query to run, or what is wrong with it; valid until the next one is prepared."""

    query: str
    document: DocumentNode | None
    errors: list[GraphQLError]
    _strings: tuple[re.Match[str], ...] = ()

    def locations(self, error: GraphQLError) -> list[dict[str, int]]:
        """Return the positions in the query that an error concerns, counted from 1."""
        return [self._location(self._offset(position)) for position in error.positions or []]

    def _offset(self, position: int) -> int:
        """Turn an offset in the template into one in the query."""
        shift = 0
        for number, string in enumerate(self._strings):
            if string.start() + shift >= position:
                break
            shift += len(_placeholder(number)) - len(string[0])
        return position - shift

    def _location(self, offset: int) -> dict[str, int]:
        before = self.query[:offset]
        return {"line": before.count("\n") + 1, "column": offset - before.rfind("\n")}


def prepare(query: str) -> Prepared:
    """Parse and validate a query against the schema; only one thread at a time may call this."""
    if _SUBTLE.search(query):
        return Prepared(query, *_parsed(query))
    strings = tuple(_STRING.finditer(query))
    document, nodes = _template(_STRING.sub(_Numbering(), query))
    if document is None:
        return Prepared(query, *_parsed(query))
    for node, string in zip(nodes, strings, strict=True):
        node.value = string[1]
    return Prepared(query, document, [], strings)


@functools.cache
def schema() -> GraphQLSchema:
    # A development dependency, which the demo does without.
    from graphql import build_schema  # noqa: PLC0415

    return build_schema(SCHEMA)


def _placeholder(number: int) -> str:
    return f'"{number}"'


class _Numbering:
    """Replaces each string by its number: all differ, so that fields which might conflict do."""

    def __init__(self) -> None:
        self._next = -1

    def __call__(self, _: re.Match[str]) -> str:
        self._next += 1
        return _placeholder(self._next)


@functools.lru_cache(_KEPT)
def _template(template: str) -> tuple[DocumentNode | None, list[StringValueNode]]:
    """Return a template's document and its string nodes in order.

    None if not each query of the template is valid.
    """
    document, _ = _parsed(template)
    return document, [] if document is None else _string_nodes(document)


def _string_nodes(document: DocumentNode) -> list[StringValueNode]:
    from graphql import Visitor, visit  # noqa: PLC0415 - as in schema()

    found: list[StringValueNode] = []

    class StringCollector(Visitor):
        @staticmethod
        def enter_string_value(node: StringValueNode, *_: object) -> None:
            found.append(node)

    visit(document, StringCollector())
    return sorted(found, key=lambda node: int(node.value))


@functools.lru_cache(_KEPT)
def _parsed(query: str) -> tuple[DocumentNode | None, list[GraphQLError]]:
    from graphql import GraphQLSyntaxError, parse, validate  # noqa: PLC0415 - as in schema()

    try:
        document = parse(query)
    except GraphQLSyntaxError as error:
        return None, [error]
    errors = validate(schema(), document)
    return (None, errors) if errors else (document, [])
