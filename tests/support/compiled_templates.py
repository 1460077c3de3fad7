"""Templates of pages, compiled once for all processes of the tests.

Compiling all of them takes a process more than half a second of CPU time.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import FileSystemBytecodeCache

from benchmark_manager.web.site.languages import LANGUAGES
from benchmark_manager.web.site.rendering import environment

if TYPE_CHECKING:
    # Processes of the service read this module too.
    import pytest


def templates_folder(config: "pytest.Config") -> Path | None:
    """Return the folder of compiled templates in pytest's cache; None where there is no cache."""
    has_cache = config.pluginmanager.hasplugin("cacheprovider")
    return config.cache.mkdir("templates") if has_cache else None


def keep_compiled_templates(folder: Path) -> None:
    """Read this process's compiled templates from a folder, and write them to it.

    A file holds a digest of its template, so one of an older template is not used.
    """
    for language in LANGUAGES:
        environment(language).bytecode_cache = FileSystemBytecodeCache(str(folder))
