"""What worker processes do to compare the files of releases.

Functions here take and return values that can be pickled, and import nothing but rules, so that a
worker stays small.
"""

from collections.abc import Sequence

from benchmark_manager.domain.edits import Assignment
from benchmark_manager.domain.results.swept import swept_paths
from benchmark_manager.domain.results.varied import VariedFile, varied_paths
from benchmark_manager.models.original import FileFormat


def varied_texts(texts: Sequence[bytes], file_format: FileFormat) -> VariedFile | None:
    """Return how different texts of one file differ; None where comparing them takes too much."""
    return varied_paths([text.decode() for text in texts], file_format)


def swept_texts(
    base: bytes, file_format: FileFormat, wanted: Sequence[Sequence[Assignment]]
) -> VariedFile | None:
    """Return how the texts differ that these assignments make; None where each has to be read."""
    return swept_paths(base.decode(), file_format, wanted)
