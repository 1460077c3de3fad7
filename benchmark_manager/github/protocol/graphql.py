"""GitHub's GraphQL protocol without I/O: queries for contents and places, and what their answers mean.

Sources: GitHub's documentation of the GraphQL objects Repository, Commit, Tree and Blob, and "Rate
    limits and query limits for the GraphQL API". Errors come with status 200, some for a single
    alias: what an alias does not answer is asked for by REST, whose errors are exact.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from benchmark_manager.domain.sync.git_objects import TreeMember, blob_id, is_object_id
from benchmark_manager.github.protocol.rest import GarbledAnswerError
from benchmark_manager.github.reading.obstacles import Obstacle, is_obstacle
from benchmark_manager.models.project import Ref, RepositoryAddress

#: `Blob.text` ends here, bytes; larger blobs are fetched raw.
LONGEST_TEXT: Final = 512_000
#: Repositories, or blobs, of one query.
AT_MOST: Final = 50
_TREE: Final = "Tree"

Json = dict[str, object]

_BLOB_FIELDS: Final = "... on Blob { byteSize isBinary isTruncated text }"
_TREE_FIELDS: Final = "... on Tree { entries { nameRaw mode oid } }"
_COMMIT_FIELDS: Final = "oid ... on Commit { committedDate tree { oid } }"
_TIME: Final = TypeAdapter(AwareDatetime)


class _ErrorEntry(BaseModel):
    model_config = ConfigDict(extra="ignore")

    message: str = ""
    type: str | None = None
    path: Annotated[list[str | int], Field(fail_fast=True)] | None = None


class GraphQLAnswer(BaseModel):
    """`data` is None where the query failed as a whole."""

    model_config = ConfigDict(extra="ignore")

    data: dict[str, Any] | None = None
    errors: Annotated[list[_ErrorEntry], Field(fail_fast=True)] = []

    @property
    def is_rate_limited(self) -> bool:
        return any(error.type in {"RATE_LIMITED", "RATE_LIMIT"} for error in self.errors)

    @property
    def complaint(self) -> str:
        return self.errors[0].message[:200] if self.errors else "no data"


@dataclass(frozen=True, slots=True)
class PlaceQuestion:
    """Which commit a revision of a repository is, and what some folders are there.

    A query finds each folder by the revision anew: of a revision that moves, their trees may be
    another commit's. `ref`: where it stands is asked as well, and of a branch where the tag of its
    name does.
    """

    repository: RepositoryAddress
    revision: str
    folders: tuple[str, ...]
    ref: Ref | None = None


@dataclass(frozen=True, slots=True)
class CommitPlace:
    """One commit and the trees of some folders in it; None for a folder which it does not have."""

    commit_sha: str
    root_tree_sha: str
    committed_at: datetime
    full_name: str
    default_branch: str | None
    folder_trees: Mapping[str, str | None] = field(default_factory=dict)
    #: The folders at whose paths there is a file or a link instead.
    taken_paths: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NamedRefs:
    """The commit that a ref stands at, and the tag of a branch's name; None for what is not there, or not asked for."""

    ref: str | None = None
    tag: str | None = None


def head_revision(ref: Ref | None) -> str:
    """The revision of a ref's commit (None: the default branch's), by full name: git prefers tags to branches.

    An annotated tag is an object of its own: its commit is what is asked for.
    """
    if ref is None:
        return "HEAD"
    return f"{ref.full}^{{commit}}" if ref.kind == "tag" else ref.full


def endpoint(api_url: str) -> str:
    """The GraphQL endpoint which belongs to an API base."""
    return f"{api_url.removesuffix('/v3') if api_url.endswith('/api/v3') else api_url}/graphql"


class _Query:
    """A query and its variables, which keep names and paths out of its text."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._declared: list[str] = []
        self._values: dict[str, str] = {}

    def add(self, part: str) -> None:
        self._parts.append(part)

    def variable(self, value: str, kind: str = "String") -> str:
        name = f"v{len(self._values)}"
        self._declared.append(f"${name}: {kind}!")
        self._values[name] = value
        return f"${name}"

    def repository(self, alias: str, repository: RepositoryAddress) -> str:
        owner, name = self.variable(repository.owner), self.variable(repository.name)
        return f"{alias}: repository(owner: {owner}, name: {name})"

    def whole(self) -> Json:
        """What is posted."""
        text = f"query({', '.join(self._declared)}) {{ {' '.join(self._parts)} }}"
        return {"query": text, "variables": self._values}


def contents_query(repository: RepositoryAddress, shas: Sequence[str]) -> Json:
    """One query for all; the aliases are `b0`, `b1`, … in the order of the ids, below `r`."""
    query = _Query()
    start = query.repository("r", repository)
    blobs = [
        f"b{number}: object(oid: {query.variable(sha, 'GitObjectID')}) {{ {_BLOB_FIELDS} }}"
        for number, sha in enumerate(shas)
    ]
    query.add(f"{start} {{ {' '.join(blobs)} }}")
    return query.whole()


def parse_contents(answer: GraphQLAnswer, shas: Sequence[str]) -> dict[str, bytes]:
    """What came whole and is what git holds, by blob id; the rest has to be fetched raw.

    Text is null for binary contents, ends at 512,000 bytes, and is not what git holds where that is
    not UTF-8.
    """
    blobs = (answer.data or {}).get("r")
    if not isinstance(blobs, dict):
        return {}
    found = {}
    for number, sha in enumerate(shas):
        blob = blobs.get(f"b{number}")
        data = _content(blob) if isinstance(blob, dict) else None
        if data is not None and blob_id(data) == sha:
            found[sha] = data
    return found


def _content(blob: Mapping[str, Any]) -> bytes | None:
    text = blob.get("text")
    if blob.get("isBinary") or blob.get("isTruncated") or not isinstance(text, str):
        return None
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Half of a surrogate pair, as JSON can say it.
        return None


def members_query(repository: RepositoryAddress, tree_ids: Sequence[str]) -> Json:
    """One query for the entries of trees; the aliases are `t0`, `t1`, … in the order of the ids, below `r`."""
    query = _Query()
    start = query.repository("r", repository)
    trees = [
        f"t{number}: object(oid: {query.variable(sha, 'GitObjectID')}) {{ {_TREE_FIELDS} }}"
        for number, sha in enumerate(tree_ids)
    ]
    query.add(f"{start} {{ {' '.join(trees)} }}")
    return query.whole()


def parse_members(
    answer: GraphQLAnswer, tree_ids: Sequence[str]
) -> dict[str, tuple[TreeMember, ...]]:
    """The entries of those trees that the answer reports completely, by tree; nothing of it is proved."""
    trees = (answer.data or {}).get("r")
    found = {}
    for number, sha in enumerate(tree_ids):
        tree = trees.get(f"t{number}") if isinstance(trees, dict) else None
        try:
            found[sha] = (
                tuple(_tree_member(entry) for entry in tree["entries"])
                if isinstance(tree, dict)
                else ()
            )
        except (KeyError, TypeError, ValueError):
            continue
    return found


def _tree_member(entry: Mapping[str, Any]) -> TreeMember:
    name = base64.b64decode(entry["nameRaw"], validate=True).decode("utf-8", "surrogateescape")
    return TreeMember(name, f"{int(entry['mode']):o}", _oid(entry))


def obstacles_query(repository: RepositoryAddress, commit_sha: str, paths: Sequence[str]) -> Json:
    """One query for what a commit has at these paths; the aliases are `p0`, `e0`, … in the order of the paths.

    `p` is the object there, `e` the entries around it: only they report its mode.
    """
    query = _Query()
    start = query.repository("r", repository)
    parts = []
    for number, path in enumerate(paths):
        parent = path.rpartition("/")[0]
        parts.append(
            f"p{number}: object(expression: {query.variable(f'{commit_sha}:{path}')}) {{ {_BLOB_FIELDS} }}"
        )
        parts.append(
            f"e{number}: object(expression: {query.variable(f'{commit_sha}:{parent}')}) {{ {_TREE_FIELDS} }}"
        )
    query.add(f"{start} {{ {' '.join(parts)} }}")
    return query.whole()


def parse_obstacles(answer: GraphQLAnswer, paths: Sequence[str]) -> list[Obstacle]:
    """The links and submodules at these paths."""
    found = (answer.data or {}).get("r")
    if not isinstance(found, dict):
        return []
    obstacles = []
    for number, path in enumerate(paths):
        entries, there = found.get(f"e{number}"), found.get(f"p{number}")
        try:
            members = [_tree_member(entry) for entry in entries["entries"]] if entries else []
        except (KeyError, TypeError, ValueError):
            continue
        member = next(
            (member for member in members if member.path == path.rpartition("/")[2]), None
        )
        if member is not None and is_obstacle(member.mode):
            data = _content(there) if isinstance(there, dict) else None
            target = data if data is not None and blob_id(data) == member.sha else None
            obstacles.append(Obstacle(path, member.mode, member.sha, target))
    return obstacles


def places_query(questions: Iterable[PlaceQuestion]) -> Json:
    """One query for all; the aliases are `r0`, `r1`, …, in the order of the questions."""
    query = _Query()
    for number, question in enumerate(questions):
        _add_place(query, f"r{number}", question)
    return query.whole()


def _add_place(query: _Query, alias: str, question: PlaceQuestion) -> None:
    revision, ref = question.revision, question.ref
    names = {} if ref is None else {"ref": head_revision(ref)}
    if ref is not None and ref.kind == "branch":
        names["tag"] = f"refs/tags/{ref.name}"
    parts = [
        query.repository(alias, question.repository),
        "{ nameWithOwner defaultBranchRef { name }",
        f"head: object(expression: {query.variable(revision)}) {{ {_COMMIT_FIELDS} }}",
        *(
            f"f{number}: object(expression: {query.variable(f'{revision}:{folder}')}) {{ __typename oid }}"
            for number, folder in enumerate(question.folders)
            if folder
        ),
        *(
            f"{name}: object(expression: {query.variable(named)}) {{ oid }}"
            for name, named in names.items()
        ),
        "}",
    ]
    query.add(" ".join(parts))


def parse_named(answer: GraphQLAnswer, alias: str) -> NamedRefs:
    """Where the ref and the tag stand which one alias asked for; called where `parse_place` told of a place.

    Raises:
        GarbledAnswerError: it is of another shape.
    """
    found = (answer.data or {}).get(alias, {})
    told = {name: found.get(name) for name in ("ref", "tag")}
    return NamedRefs(
        **{name: _oid(one) for name, one in told.items() if isinstance(one, dict) and "oid" in one}
    )


def parse_place(answer: GraphQLAnswer, alias: str, folders: Sequence[str]) -> CommitPlace | None:
    """What one alias tells; None where it tells of an error, or of no commit: REST says which.

    Raises:
        GarbledAnswerError: it is of another shape.
    """
    if any(error.path is None or error.path[:1] == [alias] for error in answer.errors):
        return None
    found = (answer.data or {}).get(alias)
    if (
        not isinstance(found, dict)
        or not isinstance(found.get("head"), dict)
        or "tree" not in found["head"]
    ):
        return None
    try:
        head = found["head"]
        return CommitPlace(
            commit_sha=_oid(head),
            root_tree_sha=_oid(head["tree"]),
            committed_at=_TIME.validate_python(head["committedDate"]),
            full_name=str(found["nameWithOwner"]),
            default_branch=None
            if found["defaultBranchRef"] is None
            else str(found["defaultBranchRef"]["name"]),
            folder_trees={
                folder: _oid(head["tree"]) if folder == "" else _tree_oid(found[f"f{number}"])
                for number, folder in enumerate(folders)
            },
            taken_paths=frozenset(
                folder
                for number, folder in enumerate(folders)
                if folder
                and found[f"f{number}"] is not None
                and found[f"f{number}"]["__typename"] != _TREE
            ),
        )
    except (KeyError, TypeError, ValidationError) as error:
        raise GarbledAnswerError(
            f"GraphQL's answer has another shape ({type(error).__name__})"
        ) from None


@dataclass(frozen=True, slots=True)
class RepositoryOverview:
    """A repository's first branches by name, and one commit of it with its tree."""

    default_branch: str | None
    branches: tuple[str, ...]
    more_branches: bool
    commit_sha: str
    root_tree_sha: str


def overview_query(repository: RepositoryAddress, revision: str, branches: int) -> Json:
    """Ask for a revision's commit and the first branches; the alias is `r`."""
    query = _Query()
    query.add(
        f"{query.repository('r', repository)} {{ defaultBranchRef {{ name }}"
        f' refs(refPrefix: "refs/heads/", first: {branches}) {{ pageInfo {{ hasNextPage }} nodes {{ name }} }}'
        f" head: object(expression: {query.variable(revision)}) {{ {_COMMIT_FIELDS} }} }}"
    )
    return query.whole()


def parse_overview(answer: GraphQLAnswer) -> RepositoryOverview | None:
    """What the query tells; None where it tells of an error, or of no commit: REST says which.

    Raises:
        GarbledAnswerError: it is of another shape.
    """
    found = (answer.data or {}).get("r")
    if answer.errors or not isinstance(found, dict) or not isinstance(found.get("head"), dict):
        return None
    try:
        head, refs = found["head"], found["refs"]
        if "tree" not in head:
            return None
        return RepositoryOverview(
            default_branch=None
            if found["defaultBranchRef"] is None
            else str(found["defaultBranchRef"]["name"]),
            branches=tuple(str(node["name"]) for node in refs["nodes"]),
            more_branches=bool(refs["pageInfo"]["hasNextPage"]),
            commit_sha=_oid(head),
            root_tree_sha=_oid(head["tree"]),
        )
    except (KeyError, TypeError) as error:
        raise GarbledAnswerError(
            f"GraphQL's answer has another shape ({type(error).__name__})"
        ) from None


def _tree_oid(found: Mapping[str, Any] | None) -> str | None:
    """The id of a folder's tree; None where the path is not there, or is no folder."""
    return _oid(found) if found is not None and found["__typename"] == _TREE else None


def _oid(found: Mapping[str, Any]) -> str:
    oid = found["oid"]
    if not isinstance(oid, str) or not is_object_id(oid):
        raise GarbledAnswerError("GraphQL's answer holds no object id")
    return oid
