"""Validate contents, for syncs, for saving variants, and for requests that only validate."""

import itertools
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from benchmark_manager.domain.git.objects import blob_id
from benchmark_manager.domain.sync.classification import format_of
from benchmark_manager.domain.validation.across import references, with_problems
from benchmark_manager.domain.validation.kubernetes.kustomizations import (
    is_patch,
    kustomizations_above,
    without_what_parts_lack,
)
from benchmark_manager.domain.validation.value_findings import OF_WHOLE_MANIFESTS
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.original import FileFormat, FileType
from benchmark_manager.models.problem import Verdict
from benchmark_manager.services.texts.schema_source import SchemaSource
from benchmark_manager.services.texts.text_work import (
    contradictions,
    judge,
    judge_texts,
    why_no_schemas,
)
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.workers.caller import calling_as, each_task_alone
from benchmark_manager.workers.pool import WorkerPool

#: Verdicts kept in memory; the largest, with a hundred problems, has 50 kB.
_KEPT: Final = 1_000
#: Contents that go to a worker process together.
_JUDGED_AT_ONCE: Final = 100

_Key: TypeAlias = tuple[str, FileFormat, FileType | None]


@dataclass(frozen=True, slots=True)
class KubernetesCheck:
    """The versions of Kubernetes' schemas, newest first, that a content was checked against.

    If there are none, `reason` says why.
    """

    versions: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of validating a content that is not stored."""

    format: FileFormat
    verdict: Verdict
    kubernetes: KubernetesCheck


@dataclass(frozen=True, slots=True)
class IntendedPath:
    """Where a content would be stored: a project, and a path from its repository's root."""

    project_id: str
    path: str


class ValidationService:
    """Validates contents in worker processes, and remembers recent verdicts by their hashes."""

    def __init__(
        self,
        workers: WorkerPool,
        schemas: SchemaSource,
        projects: ProjectStore,
        originals: OriginalFileStore,
        blobs: BlobStore,
        *,
        max_file_size: int,
    ) -> None:
        self._workers = workers
        self._schemas = schemas
        self._projects = projects
        self._originals = originals
        self._blobs = blobs
        self._max_file_size = max_file_size
        self._tried_schemas = False
        self._verdicts: OrderedDict[_Key, Verdict] = OrderedDict()

    async def validate(
        self, text: str, file_format: FileFormat, file_type: FileType | None
    ) -> Verdict:
        """Return the verdict on a content.

        Raises:
            TooComplexError: the validation takes too much time or memory.
            WorkersBusyError
        """
        key = blob_id(text.encode("utf-8", "surrogatepass")), file_format, file_type
        known = self._verdicts.get(key)
        if known is not None:
            self._verdicts.move_to_end(key)
            return known
        if file_type == "job" and file_format == "yaml":
            await self._find_schemas()
        package = self._schemas.package if self._schemas.versions else None
        verdict = await self._workers.run(judge, text, file_format, file_type, package)
        self._verdicts[key] = verdict
        if len(self._verdicts) > _KEPT:
            self._verdicts.popitem(last=False)
        return verdict

    async def validate_many(
        self, texts: Sequence[str], file_format: FileFormat, file_type: FileType | None
    ) -> list[Verdict]:
        """Return the verdicts on many contents of one kind; each as `validate` gives it.

        Raises:
            TooComplexError: the validation of one takes too much time or memory.
            WorkersBusyError
        """
        keys = [
            (blob_id(text.encode("utf-8", "surrogatepass")), file_format, file_type)
            for text in texts
        ]
        found = {key: self._verdicts[key] for key in keys if key in self._verdicts}
        left = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if file_type == "job" and file_format == "yaml" and left:
            await self._find_schemas()
        package = self._schemas.package if self._schemas.versions else None
        while left:
            some = dict(itertools.islice(left.items(), _JUDGED_AT_ONCE))
            longest = max(map(len, some.values()))
            seconds = self._workers.limits.seconds_for(longest) / 2
            with calling_as(each_task_alone()):
                judged = await self._workers.run(
                    judge_texts, list(some.values()), file_format, file_type, package, seconds
                )
            for key, verdict in zip(some, judged, strict=False):
                found[key] = self._verdicts[key] = verdict
                del left[key]
        while len(self._verdicts) > _KEPT:
            self._verdicts.popitem(last=False)
        return [found[key] for key in keys]

    async def _find_schemas(self) -> None:
        """Check, once, whether the installed schemas can be read."""
        if self._schemas.versions and not self._tried_schemas:
            reason = await self._workers.run(why_no_schemas, self._schemas.package)
            if reason is not None and self._schemas.versions:
                self._schemas.give_up(reason)
            self._tried_schemas = True

    async def check(
        self,
        principal: Principal,
        name: str,
        content: str,
        file_type: FileType,
        intended: IntendedPath | None,
    ) -> Checked:
        """Validate a content without storing it.

        Args:
            principal: who asks; only projects that it may read are known.
            name: the file's name, whose ending gives the format.
            content: the content.
            file_type: the type of the file.
            intended: if given, the content is also checked against the project's other files.

        Raises:
            InvalidInputError: `invalid_name`, `too_large`, `too_complex`.
            NotFoundError: the project does not exist, or may not be read.
            WorkersBusyError
        """
        file_format = format_of(name)
        if file_format is None:
            raise InvalidInputError("invalid_name", "unknown_ending", field="file_name")
        size = len(content.encode())
        if size > self._max_file_size:
            raise InvalidInputError(
                "too_large", field="content", size=size, limit=self._max_file_size
            )
        verdict = await self.validate(content, file_format, file_type)
        if intended is not None:
            principal.require("reader", intended.project_id)
            verdict = await self._across(verdict, content, file_format, file_type, intended)
        return Checked(file_format, verdict, self._kubernetes(verdict, file_format, file_type))

    async def _across(
        self,
        verdict: Verdict,
        content: str,
        file_format: FileFormat,
        file_type: FileType,
        intended: IntendedPath,
    ) -> Verdict:
        await self._projects.get(intended.project_id)
        stored = await self._originals.stored(intended.project_id)
        shas = {file.path: file.sha for file in stored if not file.removed}
        path = intended.path.lstrip("/")
        wanted = await self._workers.run(
            references, content, path, file_format, file_type, list(shas)
        )
        others = await self._contents({path: shas[path] for path in wanted})
        if file_type == "job" and any(
            problem.code in OF_WHOLE_MANIFESTS for problem in verdict.problems
        ):
            verdict = await self._as_patch(verdict, path, shas)
        problems = await self._workers.run(
            contradictions, content, path, file_format, file_type, others, list(shas)
        )
        return with_problems(verdict, problems)

    async def _as_patch(self, verdict: Verdict, path: str, shas: Mapping[str, str]) -> Verdict:
        """Drop problems about missing parts if a kustomization names the manifest as a patch."""
        above = kustomizations_above(path, shas)
        if not above:
            return verdict
        contents = await self._contents({name: shas[name] for name in above})
        named = await self._workers.run(is_patch, path, contents)
        return without_what_parts_lack(verdict) if named else verdict

    async def _contents(self, shas: Mapping[str, str]) -> dict[str, str]:
        contents = await self._blobs.get_many(shas.values())
        # A sync may have removed one in the meantime.
        return {path: contents[sha].decode() for path, sha in shas.items() if sha in contents}

    def _kubernetes(
        self, verdict: Verdict, file_format: FileFormat, file_type: FileType
    ) -> KubernetesCheck:
        if file_type != "job" or file_format != "yaml":
            return KubernetesCheck(reason="Only YAML files of type job are checked as manifests.")
        if verdict.validity != "valid":
            return KubernetesCheck(
                reason="Only valid files that are not templates are checked against schemas."
            )
        return KubernetesCheck(self._schemas.versions, self._schemas.missing)
