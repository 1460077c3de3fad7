"""Which lines of a text belong to an entry.

To an entry of a block belong its lines with the comments at their ends, the comment lines directly
above it at its own column, and the comment lines directly below it which are indented deeper. What
is above the first entry of a document belongs to the document.
"""

from benchmark_manager.domain.documents.nodes import DocumentTree, Slot


def owns_line(tree: DocumentTree, slot: Slot) -> bool:
    """Return whether nothing but indentation is before an entry in its line."""
    return not tree.text[tree.lines.start(slot.start) : slot.start].strip(" ")


def first_line(tree: DocumentTree, slot: Slot) -> int:
    """Return where the lines of an entry begin that has its first line for itself."""
    at = tree.lines.start(slot.start)
    mark = f"{' ' * (slot.start - at)}#"
    while at > slot.floor:
        above = tree.lines.start(at - 1)
        if above < slot.floor or not tree.text.startswith(mark, above):
            break
        at = above
    return at


def behind_lines(tree: DocumentTree, slot: Slot) -> int:
    """Return where the line behind an entry of a block begins, or the end of the text."""
    column = tree.lines.column(slot.start)
    at = tree.lines.next_line(slot.end)
    while at < len(tree.text):
        line = tree.text[at : tree.lines.end(at)]
        content = line.lstrip(" ")
        if not content.startswith("#") or len(line) - len(content) <= column:
            break
        at = tree.lines.next_line(at)
    return at
