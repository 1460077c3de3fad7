"""What worker processes do for searches."""

from collections.abc import Sequence

from benchmark_manager.domain.search.content_search import ContentQuery, find_in_content
from benchmark_manager.models.original import FileFormat
from benchmark_manager.models.search import ContentMatch

#: A content, its format, whether it parses, and the position behind which it is searched.
SearchedText = tuple[bytes, FileFormat, bool, int]
#: Which text of a batch, and its matches.
Searched = tuple[int, list[ContentMatch]]


def search_texts(texts: Sequence[SearchedText], query: ContentQuery, limit: int) -> list[Searched]:
    """Return the matches of texts that have any, in order, at most `limit` together."""
    found: list[Searched] = []
    left = limit
    for index, (content, file_format, parses, after) in enumerate(texts):
        text = content.decode("utf-8", "replace")
        matches = find_in_content(text, file_format, query, limit=left, after=after, parses=parses)
        if matches:
            found.append((index, matches))
            left -= len(matches)
            if left == 0:
                break
    return found
