"""A bare handler for the same documents: only Starlette, PyMongo's async client, json and uvicorn.

    python benchmarks/harness/bare.py PORT MONGO_URL DATABASE

It reads the documents of an answer with as few commands as a plain handler needs (one for a list,
two for a file and its content, one more if files have problems) and writes the same JSON. It does
not check the project, count, paginate, compute ETags or handle errors, and does not validate the
documents.
"""

import json
import sys
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import uvicorn
from bson import ObjectId
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Document = dict[str, Any]


def _time(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat().replace("+00:00", "Z")


async def _problems(request: Request, rows: list[Document]) -> dict[str, Any]:
    """Return the lists of problems that the rows refer to, by id."""
    ids = sorted({row["problems_id"] for row in rows if "problems_id" in row})
    if not ids:
        return {}
    found = request.app.state.db["problems"].find({"_id": {"$in": ids}}, {"data": 1})
    return {row["_id"]: json.loads(zlib.decompress(row["data"])) async for row in found}


def _plain(row: Document, problems: Document) -> Document:
    """Return an original without variants as in the service's answers, in the same order."""
    return {
        "id": str(row["_id"]),
        "project_id": str(row["project_id"]),
        "name": row["path"].rpartition("/")[2],
        "path": row["path"],
        "file_type": row["file_type"],
        "format": row["format"],
        "sha": row["sha"],
        "size": row["size"],
        "commit_sha": row["commit_sha"],
        "last_modified": _time(row["last_modified"]),
        "synced_at": _time(row["synced_at"]),
        "removed_at": _time(row["removed_at"]),
        "validity": row["validity"],
        "problems": problems.get(row.get("problems_id", ""), []),
        "modified_files_count": 0,
    }


def _answer(value: object) -> Response:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode(), media_type="application/json")


async def _list(request: Request) -> Response:
    match = {"project_id": ObjectId(request.path_params["project"]), "removed_at": None}
    rows = request.app.state.db["files"].find(match).sort([("path", 1), ("_id", 1)])
    found = await rows.limit(int(request.query_params["limit"])).to_list()
    problems = await _problems(request, found)
    return _answer([_plain(row, problems) for row in found])


async def _row(request: Request) -> Document:
    wanted = request.path_params
    match = {"_id": ObjectId(wanted["file"]), "project_id": ObjectId(wanted["project"])}
    found: Document = await request.app.state.db["files"].find_one(match)
    return found


async def _document(request: Request) -> Response:
    return _answer(_plain(await _row(request), {}))


async def _file(request: Request) -> Response:
    db, row = request.app.state.db, await _row(request)
    blob = await db["blobs"].find_one({"_id": row["sha"]}, {"data": 1})
    return _answer(
        {**_plain(row, await _problems(request, [row])), "content": blob["data"].decode()}
    )


def bare_app(url: str, database: str) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncMongoClient[Document](url) as client:
            app.state.db = client.get_database(
                database, codec_options=CodecOptions(tz_aware=True, tzinfo=UTC)
            )
            yield

    files = "/projects/{project}/files"
    paths = {files: _list, f"{files}/{{file}}": _file, f"{files}/{{file}}/document": _document}
    routes = [Route(path, handler) for path, handler in paths.items()]
    return Starlette(routes=routes, lifespan=lifespan)


if __name__ == "__main__":
    _, port, mongo_url, name = sys.argv
    uvicorn.run(bare_app(mongo_url, name), port=int(port), log_level="warning", access_log=False)
