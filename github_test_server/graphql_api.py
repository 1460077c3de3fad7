"""GitHub's GraphQL API of repositories, refs and git objects; graphql-core runs the queries.

https://docs.github.com/en/graphql/reference/objects
"""

from __future__ import annotations

import base64
import functools
import importlib.util
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from github_test_server import shapes
from github_test_server.answers import RefusalError, ServedAnswer, json_answer, not_found
from github_test_server.graphql_documents import Prepared, prepare, schema
from github_test_server.objects import ParsedCommit
from github_test_server.repositories import FULL_SHA

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graphql import ExecutionResult, GraphQLError, GraphQLResolveInfo

    from github_test_server.calls import Call
    from github_test_server.hosting import HostedRepository
    from github_test_server.objects import GitObject
    from github_test_server.repositories import Repository
    from github_test_server.shapes import Json

DOCUMENTATION: Final = "https://docs.github.com/graphql"
MOST_TEXT: Final = 512_000
"""Bytes after which a blob's text is cut off."""

_SNIFFED = 8000
_QUERY_COST = 1
_LONGEST_PAGE = 100
_TYPENAMES = {"commit": "Commit", "tree": "Tree", "blob": "Blob", "tag": "Tag"}


class ProblemError(Exception):
    """An error of one field, whose data becomes null; `type` is GitHub's name for its kind."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.type = kind


async def graphql(call: Call) -> ServedAnswer:
    """https://docs.github.com/en/graphql/guides/forming-calls-with-graphql."""
    if importlib.util.find_spec("graphql") is None:
        raise not_found()
    posted = _Posted.parse(await call.request.body())
    return json_answer(_run(posted, _QueryRoot(call).root()))


@dataclass(frozen=True, slots=True)
class _Posted:
    query: str
    variables: dict[str, Any]
    operation: str | None

    @classmethod
    def parse(cls, body: bytes) -> _Posted:
        try:
            posted = json.loads(body)
        except ValueError:
            raise _malformed("Problems parsing JSON") from None
        if not isinstance(posted, dict):
            raise _malformed("Body should be a JSON object")
        query, variables, operation = (
            posted.get(name) for name in ("query", "variables", "operationName")
        )
        if not isinstance(query, str):
            raise _malformed("A query attribute must be specified and must be a string.")
        if not isinstance(variables, dict | None):
            raise _malformed("Variables must be a JSON object.")
        return cls(query, variables or {}, operation if isinstance(operation, str) else None)


def _malformed(message: str) -> RefusalError:
    return RefusalError(400, message, documentation=DOCUMENTATION)


def _run(posted: _Posted, root: Json) -> Json:
    # A development dependency, which the demo does without.
    from graphql import execute_sync  # noqa: PLC0415

    prepared = prepare(posted.query)
    if prepared.document is None:
        return {"errors": [_formatted(error, prepared) for error in prepared.errors]}
    result: ExecutionResult = execute_sync(
        schema(),
        prepared.document,
        root,
        variable_values=posted.variables,
        operation_name=posted.operation,
        field_resolver=_resolve,
        check_sync=False,
    )
    shape: Json = {} if result.data is None else {"data": result.data}
    return shape | (
        {"errors": [_formatted(error, prepared) for error in result.errors]}
        if result.errors
        else {}
    )


def _formatted(error: GraphQLError, prepared: Prepared) -> Json:
    """Shape an error as GitHub does: `type` is beside `path`, not in `extensions`."""
    shape: Json = {}
    if isinstance(error.original_error, ProblemError):
        shape["type"] = error.original_error.type
    if error.path:
        shape["path"] = error.path
    if error.positions:
        shape["locations"] = prepared.locations(error)
    return {**shape, "message": error.message}


def _resolve(source: Mapping[str, Any], info: GraphQLResolveInfo, **arguments: object) -> object:
    """Return a field of a dict: a value, or the result of a function of the arguments."""
    value = source.get(info.field_name)
    return value(**arguments) if callable(value) else value


@dataclass(slots=True)
class _QueryRoot:
    """The data of one query, as dicts whose costly fields are functions.

    What a repository holds under a name is read once a query: many hosted repositories may be one
    on disk.
    """

    call: Call
    _read: dict[tuple[Repository, str], GitObject | None] = field(default_factory=dict)

    def root(self) -> Json:
        return {
            "repository": self._repository,
            "rateLimit": self._rate_limit,
            "viewer": self._viewer,
        }

    def _viewer(self) -> Json:
        user = shapes.user(self.call.caller.login or "", self.call.urls)
        return {"login": user["login"], "databaseId": user["id"], "id": user["node_id"]}

    def _rate_limit(self, *, dryRun: bool = False) -> Json:  # noqa: N803 - GraphQL's name
        del dryRun
        allowance = self.call.state.limits.of_caller(self.call.caller, "graphql")
        return {
            "limit": allowance.limit,
            "cost": _QUERY_COST,
            "remaining": allowance.remaining,
            "used": allowance.used,
            "resetAt": shapes.timestamp(datetime.fromtimestamp(allowance.reset_at, UTC)),
            "nodeCount": 0,
        }

    def _repository(
        self,
        *,
        owner: str,
        name: str,
        followRenames: bool = True,  # noqa: N803 -- GraphQL's name
    ) -> Json:
        hosting, full_name = self.call.state.hosting, f"{owner}/{name}"
        hosted = hosting.get(full_name) or (hosting.get_moved(full_name) if followRenames else None)
        if hosted is None or not hosted.visible_to(self.call.caller):
            raise ProblemError(
                "NOT_FOUND", f"Could not resolve to a Repository with the name '{full_name}'."
            )
        return _Hosted(hosted, self._object_of(hosted.repository)).shape()

    def _object_of(self, repository: Repository) -> Callable[[str], GitObject | None]:
        def read(expression: str) -> GitObject | None:
            key = (repository, expression)
            if key not in self._read:
                self._read[key] = repository.resolve(expression)
            return self._read[key]

        return read


@dataclass(frozen=True, slots=True)
class _Hosted:
    """One repository and a way to read its objects."""

    hosted: HostedRepository
    read: Callable[[str], GitObject | None]

    def shape(self) -> Json:
        hosted = self.hosted
        return {
            "id": shapes.node_id("Repository", hosted.id),
            "databaseId": hosted.id,
            "name": hosted.name,
            "nameWithOwner": hosted.full_name,
            "isPrivate": hosted.private,
            "isEmpty": self._is_empty,
            "defaultBranchRef": self._default_branch,
            "ref": self._ref,
            "refs": self._refs,
            "object": self._object,
        }

    def _is_empty(self) -> bool:
        return self.read("HEAD") is None and self.hosted.repository.is_empty()

    def _default_branch(self) -> Json | None:
        return self._ref(qualifiedName=f"refs/heads/{self.hosted.repository.default_branch}")

    def _ref(self, *, qualifiedName: str) -> Json | None:  # noqa: N803 - GraphQL's name
        """Find a full name such as refs/heads/main; GitHub takes a shorter one too."""
        names = [
            qualifiedName.removeprefix("refs/"),
            f"heads/{qualifiedName}",
            f"tags/{qualifiedName}",
        ]
        for name in names:
            if found := self.hosted.repository.find_ref(name):
                short = name.partition("/")[2]
                identifier = shapes.node_id("Ref", f"{self.hosted.id}:refs/{name}")
                return {
                    "id": identifier,
                    "name": short,
                    "prefix": self._prefix(name),
                    "target": self._shape(found),
                }
        return None

    def _refs(
        self,
        *,
        refPrefix: str,  # noqa: N803 -- GraphQL's name
        first: int | None = None,
        after: str | None = None,
    ) -> Json:
        """List refs by name, at most 100 on a page; a cursor is the number of refs before it."""
        if first is None or not 1 <= first <= _LONGEST_PAGE:
            raise ProblemError(
                "EXCESSIVE_PAGINATION", "You must provide a `first` value from 1 to 100."
            )
        prefix = refPrefix.removeprefix("refs/")
        found = self.hosted.repository.refs(prefix)
        start = int(after or 0)
        nodes = [
            {
                "id": shapes.node_id("Ref", f"{self.hosted.id}:refs/{name}"),
                "name": name.removeprefix(prefix),
                "prefix": refPrefix,
                "target": functools.partial(self._shape, target),
            }
            for name, target in found[start : start + first]
        ]
        end = start + len(nodes)
        page = {"endCursor": str(end) if nodes else None, "hasNextPage": end < len(found)}
        return {"nodes": nodes, "pageInfo": page, "totalCount": len(found)}

    @staticmethod
    def _prefix(name: str) -> str:
        return f"refs/{name.partition('/')[0]}/"

    def _object(self, *, oid: str | None = None, expression: str | None = None) -> Json | None:
        if oid is not None and not FULL_SHA.fullmatch(oid):
            return None
        name = oid if oid is not None else expression
        found = self.read(name) if name is not None else None
        if found is None or name is None:
            return None
        return self._shape(found, path=name.partition(":")[2])

    def _shape(self, found: GitObject, *, path: str = "") -> Json:
        shape: Json = {
            "__typename": _TYPENAMES[found.type],
            "id": shapes.node_id(_TYPENAMES[found.type], f"{self.hosted.id}:{found.sha}"),
            "oid": found.sha,
            "abbreviatedOid": found.sha[:7],
        }
        if found.type == "blob":
            return shape | _blob(found.data)
        if found.type == "tree":
            return shape | {"entries": lambda: self._entries(found.sha, path)}
        if found.type == "commit":
            return shape | self._commit(ParsedCommit.parse(found))
        return shape | self._tag(found)

    def _commit(self, commit: ParsedCommit) -> Json:
        return {
            "committedDate": shapes.timestamp(commit.committer.date),
            "authoredDate": shapes.timestamp(commit.author.date),
            "message": commit.message,
            "messageHeadline": commit.message.partition("\n")[0],
            "tree": lambda: self._object(oid=commit.tree),
        }

    def _tag(self, tag: GitObject) -> Json:
        named = dict(
            line.split(" ", 1)
            for line in tag.data.decode(errors="replace").split("\n\n")[0].splitlines()
        )
        return {"name": named["tag"], "target": lambda: self._object(oid=named["object"])}

    def _entries(self, tree: str, path: str) -> list[Json]:
        prefix = f"{path.strip('/')}/" if path.strip("/") else ""
        return [
            {
                "name": shapes.readable(entry.path),
                "nameRaw": base64.b64encode(entry.path).decode(),
                "path": prefix + shapes.readable(entry.path),
                "pathRaw": base64.b64encode(prefix.encode() + entry.path).decode(),
                "mode": int(entry.mode, 8),
                "type": entry.type,
                "oid": entry.sha,
                "size": entry.size or 0,
                "object": functools.partial(self._object, oid=entry.sha),
            }
            for entry in self.hosted.repository.list_tree(tree, recursive=False)
        ]


def _blob(content: bytes) -> Json:
    """Shape a blob's fields; GitHub returns no text of a binary one, and hides broken UTF-8."""
    binary = b"\0" in content[:_SNIFFED]
    return {
        "byteSize": len(content),
        "isBinary": binary,
        "isTruncated": not binary and len(content) > MOST_TEXT,
        "text": None if binary else lambda: content[:MOST_TEXT].decode(errors="replace"),
    }


def exhausted(call_login: str, status: int, kind: str) -> ServedAnswer:
    """Report that the primary limit is exhausted.

    https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api#exceeding-the-rate-limit
    """
    message = f"API rate limit exceeded for user ID {shapes.user_id(call_login)}."
    if status == 200:  # noqa: PLR2004 - the status which GraphQL gives its own errors
        return json_answer({"errors": [{"type": kind, "message": message}]})
    return RefusalError(
        status, message, documentation=f"{DOCUMENTATION}/overview/rate-limits"
    ).answer
