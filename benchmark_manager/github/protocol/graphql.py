"""GitHub's GraphQL protocol without I/O: queries for commits and contents, and their answers.

Sources: GitHub's documentation of the GraphQL objects Repository, Commit, Tree and Blob, and "Rate
    limits and query limits for the GraphQL API". Errors come with status 200, some for a single
    alias: what an alias does not answer is requested by REST, whose errors are exact.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from benchmark_manager.domain.git.objects import TreeMember, blob_id, is_object_id
from benchmark_manager.domain.sync.obstacles import Obstacle, is_obstacle
from benchmark_manager.github.protocol.answers import GarbledAnswerError
from benchmark_manager.models.commit import Commit, CommitAnswer, RepositoryNames
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
    def first_error(self) -> str:
        return self.errors[0].message[:200] if self.errors else "no data"


@dataclass(frozen=True, slots=True)
class CommitQuestion:
    """Which commit a revision names, and which trees some folders have there.

    A query resolves the revision anew for each folder: of a revision that moves, a folder's tree
    may be another commit's. With `ref`, it also asks which commit that ref points to, and of a
    branch which one the tag of the same name points to.
    """

    repository: RepositoryAddress
    revision: str
    folders: tuple[str, ...]
    ref: Ref | None = None


@dataclass(frozen=True, slots=True)
class NamedRefs:
    """The commits that a ref, and the tag of a branch's name, point to.

    None for what does not exist or was not asked for.
    """

    ref: str | None = None
    tag: str | None = None


def head_revision(ref: Ref | None) -> str:
    """Return the revision of a ref's commit (None: the default branch's).

    It holds the ref's full name, as git prefers tags to branches. An annotated tag is an object of
    its own, so the revision asks for its commit.
    """
    if ref is None:
        return "HEAD"
    return f"{ref.full}^{{commit}}" if ref.kind == "tag" else ref.full


def endpoint(api_url: str) -> str:
    """Return the GraphQL endpoint that belongs to an API base."""
    return f"{api_url.removesuffix('/v3') if api_url.endswith('/api/v3') else api_url}/graphql"


class _QueryText:
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
        """Return the body of the request."""
        text = f"query({', '.join(self._declared)}) {{ {' '.join(self._parts)} }}"
        return {"query": text, "variables": self._values}


def contents_query(repository: RepositoryAddress, shas: Sequence[str]) -> Json:
    """Build one query for contents; the aliases are `b0`, `b1`, … in the ids' order, below `r`."""
    query = _QueryText()
    start = query.repository("r", repository)
    blobs = [
        f"b{number}: object(oid: {query.variable(sha, 'GitObjectID')}) {{ {_BLOB_FIELDS} }}"
        for number, sha in enumerate(shas)
    ]
    query.add(f"{start} {{ {' '.join(blobs)} }}")
    return query.whole()


def parse_contents(answer: GraphQLAnswer, shas: Sequence[str]) -> dict[str, bytes]:
    """Return the contents that arrived whole and exact, by blob id; fetch the rest raw.

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
    """Build one query for trees' entries; the aliases are `t0`, `t1`, … in the ids' order."""
    query = _QueryText()
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
    """Return the entries of the trees that the answer reports completely; nothing is proved."""
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
    """Build one query for what a commit has at these paths.

    The aliases are `p0`, `e0`, … in the paths' order: `p` is the object at a path, `e` are the
    entries of the folder around it, as only they report the object's mode.
    """
    query = _QueryText()
    start = query.repository("r", repository)
    parts = []
    for number, path in enumerate(paths):
        parent = path.rpartition("/")[0]
        there, around = (
            query.variable(f"{commit_sha}:{path}"),
            query.variable(f"{commit_sha}:{parent}"),
        )
        parts.append(f"p{number}: object(expression: {there}) {{ {_BLOB_FIELDS} }}")
        parts.append(f"e{number}: object(expression: {around}) {{ {_TREE_FIELDS} }}")
    query.add(f"{start} {{ {' '.join(parts)} }}")
    return query.whole()


def parse_obstacles(answer: GraphQLAnswer, paths: Sequence[str]) -> list[Obstacle]:
    """Return the links and submodules at these paths."""
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


def commits_query(questions: Iterable[CommitQuestion]) -> Json:
    """Build one query for all questions; the aliases are `r0`, `r1`, … in their order."""
    query = _QueryText()
    for number, question in enumerate(questions):
        _add_commit(query, f"r{number}", question)
    return query.whole()


def _add_commit(query: _QueryText, alias: str, question: CommitQuestion) -> None:
    revision, ref = question.revision, question.ref
    names = {} if ref is None else {"ref": head_revision(ref)}
    if ref is not None and ref.kind == "branch":
        names["tag"] = f"refs/tags/{ref.name}"

    def named(alias: str, expression: str, fields: str) -> str:
        return f"{alias}: object(expression: {query.variable(expression)}) {{ {fields} }}"

    parts = [
        query.repository(alias, question.repository),
        "{ nameWithOwner defaultBranchRef { name }",
        named("head", revision, _COMMIT_FIELDS),
        *(
            named(f"f{number}", f"{revision}:{folder}", "__typename oid")
            for number, folder in enumerate(question.folders)
            if folder
        ),
        *(named(name, expression, "oid") for name, expression in names.items()),
        "}",
    ]
    query.add(" ".join(parts))


def parse_named(answer: GraphQLAnswer, alias: str) -> NamedRefs:
    """Parse which commits the ref and the tag of one alias point to, beside its commit.

    Raises:
        GarbledAnswerError: the answer has another shape.
    """
    found = (answer.data or {}).get(alias, {})
    refs = {name: found.get(name) for name in ("ref", "tag")}
    return NamedRefs(
        **{name: _oid(ref) for name, ref in refs.items() if isinstance(ref, dict) and "oid" in ref}
    )


def parse_commit(answer: GraphQLAnswer, alias: str, folders: Sequence[str]) -> CommitAnswer | None:
    """Parse the commit of one alias.

    Returns:
        None where the answer reports an error or no commit: REST says which.

    Raises:
        GarbledAnswerError: the answer has another shape.
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
        return _commit_answer(found, folders)
    except (KeyError, TypeError, ValidationError) as error:
        raise _other_shape(error) from None


def _commit_answer(found: Mapping[str, Any], folders: Sequence[str]) -> CommitAnswer:
    head = found["head"]
    aliases = {folder: f"f{number}" for number, folder in enumerate(folders) if folder}
    trees = {
        folder: _tree_oid(found[aliases[folder]]) if folder else _oid(head["tree"])
        for folder in folders
    }
    taken = frozenset(
        folder
        for folder, alias in aliases.items()
        if found[alias] is not None and found[alias]["__typename"] != _TREE
    )
    time = _TIME.validate_python(head["committedDate"])
    commit = Commit(_oid(head), _oid(head["tree"]), time, trees)
    return CommitAnswer(commit, _repository_names(found), taken)


def _repository_names(found: Mapping[str, Any]) -> RepositoryNames:
    return RepositoryNames(str(found["nameWithOwner"]), _default_branch(found))


def _default_branch(found: Mapping[str, Any]) -> str | None:
    branch = found["defaultBranchRef"]
    return None if branch is None else str(branch["name"])


def _other_shape(error: Exception) -> GarbledAnswerError:
    return GarbledAnswerError(f"GraphQL's answer has another shape ({type(error).__name__})")


@dataclass(frozen=True, slots=True)
class RepositoryOverview:
    """A repository's first branches by name, and the commit of the ref that was asked for.

    `default_branch` and `commit` are None where they were not answered.
    """

    default_branch: str | None
    commit: Commit | None
    branches: tuple[str, ...]
    more_branches: bool


def overview_query(repository: RepositoryAddress, revision: str, branches: int) -> Json:
    """Build a query for a revision's commit and the first branches; the alias is `r`."""
    query = _QueryText()
    refs = f'refs(refPrefix: "refs/heads/", first: {branches})'
    query.add(
        f"{query.repository('r', repository)} {{ defaultBranchRef {{ name }}"
        f" {refs} {{ pageInfo {{ hasNextPage }} nodes {{ name }} }}"
        f" head: object(expression: {query.variable(revision)}) {{ {_COMMIT_FIELDS} }} }}"
    )
    return query.whole()


def parse_overview(answer: GraphQLAnswer) -> RepositoryOverview | None:
    """Parse the answer to `overview_query`.

    Returns:
        None where the answer reports an error or no commit: REST says which.

    Raises:
        GarbledAnswerError: the answer has another shape.
    """
    found = (answer.data or {}).get("r")
    if answer.errors or not isinstance(found, dict) or not isinstance(found.get("head"), dict):
        return None
    try:
        head, refs = found["head"], found["refs"]
        if "tree" not in head:
            return None
        return RepositoryOverview(
            default_branch=_default_branch(found),
            commit=Commit(_oid(head), _oid(head["tree"])),
            branches=tuple(str(node["name"]) for node in refs["nodes"]),
            more_branches=bool(refs["pageInfo"]["hasNextPage"]),
        )
    except (KeyError, TypeError) as error:
        raise _other_shape(error) from None


def _tree_oid(found: Mapping[str, Any] | None) -> str | None:
    """Return the id of a folder's tree; None where the path does not exist or is no folder."""
    return _oid(found) if found is not None and found["__typename"] == _TREE else None


def _oid(found: Mapping[str, Any]) -> str:
    oid = found["oid"]
    if not isinstance(oid, str) or not is_object_id(oid):
        raise GarbledAnswerError("GraphQL's answer holds no object id")
    return oid
