"""Style sheets, scripts and pictures, each at an address that changes with its content."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from benchmark_manager.web import PREFIX

FOLDER: Final = Path(__file__).parents[1] / "static"
_ROUTE: Final = f"{PREFIX}/static"
#: Files that the entry scripts import; their names contain the hashes of their contents.
_CHUNKS: Final = "dist/chunk-"
_FOREVER: Final = "public, max-age=31536000, immutable"


def url(root: str, name: str) -> str | None:
    """Return the address of a file in `static/`, or None if it was not built."""
    path = _path(name)
    return None if path is None else root + path


@cache
def _path(name: str) -> str | None:
    """Return the file's path with its hash; a new build takes effect after a restart."""
    path = FOLDER / name
    if not path.is_file():
        return None
    return f"{_ROUTE}/{name}?v={hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"


class Assets(StaticFiles):
    """Serve the files of `static/`; those requested with their hash may be cached forever."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        requested = f"{_ROUTE}/{path}?v={QueryParams(scope['query_string']).get('v', '')}"
        fixed = path.startswith(_CHUNKS) or requested == _path(path)
        response.headers["Cache-Control"] = _FOREVER if fixed else "no-cache"
        return response
