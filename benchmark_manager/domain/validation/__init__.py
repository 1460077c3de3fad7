"""The one verdict on a content, for the API, the page and the command line."""

from benchmark_manager.domain.validation.validate import validate

__all__ = ["validate"]
