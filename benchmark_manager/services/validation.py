"""The one verdict on a content: for copying, for saving, and for whoever only asks."""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from benchmark_manager.domain.classification import format_of
from benchmark_manager.domain.git_objects import blob_id
from benchmark_manager.domain.validation import validate
from benchmark_manager.domain.validation.across import check_across, references, with_problems
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.original_file import FileFormat, FileType
from benchmark_manager.models.problem import Verdict
from benchmark_manager.services.kubernetes_schemas import SchemaSource
from benchmark_manager.stores.blobs import BlobStore
from benchmark_manager.stores.original_files import OriginalFileStore
from benchmark_manager.stores.projects import ProjectStore

#: Verdicts kept; the largest, with a hundred problems, has 50 kB.
_KEPT: Final = 1_000

_Key: TypeAlias = tuple[str, FileFormat, FileType | None]


@dataclass(frozen=True, slots=True)
class KubernetesCheck:
    """Whether a content was held to Kubernetes' schemas: of which versions, newest first, or why not."""

    versions: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """What is to be said of a content which nobody stored."""

    format: FileFormat
    verdict: Verdict
    kubernetes: KubernetesCheck


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a project a content would stand: `path` from the repository's root."""

    project_id: str
    path: str


class ValidationService:
    """Judges contents; what was judged lately is remembered by its hash."""

    def __init__(
        self,
        schemas: SchemaSource,
        projects: ProjectStore,
        originals: OriginalFileStore,
        blobs: BlobStore,
        *,
        max_file_size: int,
    ) -> None:
        self._schemas = schemas
        self._projects = projects
        self._originals = originals
        self._blobs = blobs
        self._max_file_size = max_file_size
        self._verdicts: OrderedDict[_Key, Verdict] = OrderedDict()
        self._lock = threading.Lock()

    def validate(
        self, text: str, file_format: FileFormat, file_type: FileType | None, *, sha: str | None = None
    ) -> Verdict:
        """The verdict on a content. Never raises; up to a second of work for the largest: call it in a thread.

        `sha` is git's blob id of the content, where it is known already.
        """
        key = sha or blob_id(text.encode("utf-8", "surrogatepass")), file_format, file_type
        with self._lock:
            known = self._verdicts.get(key)
            if known is not None:
                self._verdicts.move_to_end(key)
                return known
        # Only manifests are worth the reading of schemas.
        kubernetes = self._schemas.get() if file_type == "job" and file_format == "yaml" else None
        verdict = validate(text, file_format, file_type, kubernetes=kubernetes)
        with self._lock:
            self._verdicts[key] = verdict
            if len(self._verdicts) > _KEPT:
                self._verdicts.popitem(last=False)
        return verdict

    async def check(self, name: str, content: str, file_type: FileType, place: Place | None) -> Checked:
        """Judge a content without storing it; with a place, against the project's other files too.

        Raises:
            InvalidInputError: `invalid_name`, `too_large`.
            NotFoundError: there is no such project.
        """
        file_format = format_of(name)
        if file_format is None:
            raise InvalidInputError("invalid_name", "name must end in .yaml, .yml or .json.", field="name")
        size = len(content.encode())
        if size > self._max_file_size:
            message = f"The content has {size} bytes; at most {self._max_file_size} are allowed."
            raise InvalidInputError("too_large", message, field="content")
        verdict = await asyncio.to_thread(self.validate, content, file_format, file_type)
        if place is not None:
            verdict = await self._across(verdict, content, file_format, file_type, place)
        return Checked(file_format, verdict, self._kubernetes(verdict, file_format, file_type))

    async def _across(
        self, verdict: Verdict, content: str, file_format: FileFormat, file_type: FileType, place: Place
    ) -> Verdict:
        await self._projects.get(place.project_id)
        stored = await self._originals.stored(place.project_id)
        shas = {file.path: file.sha for file in stored if not file.removed}
        path = place.path.lstrip("/")
        wanted = await asyncio.to_thread(references, content, path, file_format, file_type, shas)
        others = await self._contents({path: shas[path] for path in wanted})
        problems = await asyncio.to_thread(check_across, content, path, file_format, file_type, others, paths=shas)
        return with_problems(verdict, problems)

    async def _contents(self, shas: Mapping[str, str]) -> dict[str, str]:
        contents = await self._blobs.get_many(shas.values())
        # A sync may have taken one away meanwhile.
        return {path: contents[sha].decode() for path, sha in shas.items() if sha in contents}

    def _kubernetes(self, verdict: Verdict, file_format: FileFormat, file_type: FileType) -> KubernetesCheck:
        if file_type != "job" or file_format != "yaml":
            return KubernetesCheck(reason="Only YAML files of type job are read as manifests.")
        if verdict.validity != "valid":
            return KubernetesCheck(reason="Only what parses, and is no template, is held to schemas.")
        return KubernetesCheck(self._schemas.versions, self._schemas.missing)
