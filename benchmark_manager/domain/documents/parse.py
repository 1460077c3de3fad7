"""Text in, tree out."""

from typing import Final

from benchmark_manager.domain.documents.json_tree import read_json_tree
from benchmark_manager.domain.documents.nodes import DocumentTree, Identities
from benchmark_manager.domain.documents.yaml_tree import compose
from benchmark_manager.domain.validation import validate
from benchmark_manager.domain.yaml.events import BYTE_ORDER_MARK
from benchmark_manager.models.original import FileFormat

MOST_VALUES: Final = 40_000
"""Texts which may have more values than this are not read key by key.

Their trees would take seconds to read and hundreds of megabytes. Real files reach 2,200.
"""

_PART_ENDS: Final = ("\n", "\r", ",", ": ", "- ", "? ", "[", "{")


class UnreadableDocumentError(Exception):
    """The text has no tree.

    It is a template, does not parse, repeats a key (also `<<`) or is nested too deep.
    """


def parse(text: str, file_format: FileFormat, identities: Identities | None = None) -> DocumentTree:
    """Return the tree of a text; a byte order mark at its beginning is not part of it.

    Args:
        text: YAML with any number of documents, or JSON.
        file_format: which of them.
        identities: shared by trees which are compared with each other.

    Raises:
        UnreadableDocumentError: exactly where `validate` calls the text a template or invalid, or a
            mapping has `<<` twice.
    """
    body = text.removeprefix(BYTE_ORDER_MARK)
    if validate(body, file_format).validity != "valid":
        raise UnreadableDocumentError
    identities = identities or Identities()
    if file_format == "json":
        return read_json_tree(body, identities)
    tree = compose(body, identities)
    if tree is None:
        raise UnreadableDocumentError
    return tree


def try_parse(
    text: str, file_format: FileFormat, identities: Identities | None = None
) -> DocumentTree | None:
    """Parse a text as `parse` does; None for what it refuses."""
    try:
        return parse(text, file_format, identities)
    except UnreadableDocumentError:
        return None


def most_values(text: str) -> int:
    """Return an upper bound of the values in a text, without reading it."""
    return sum(map(text.count, _PART_ENDS)) + 1
