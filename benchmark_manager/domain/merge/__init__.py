"""Three-way merging of originals and variants: by lines, then by keys."""

from benchmark_manager.domain.merge.errors import (
    MergeImpossibleError,
    MergeResolutionError,
    MergeUnresolvedError,
)
from benchmark_manager.domain.merge.merge import merge
from benchmark_manager.domain.merge.resolve import resolve

__all__ = [
    "MergeImpossibleError",
    "MergeResolutionError",
    "MergeUnresolvedError",
    "merge",
    "resolve",
]
