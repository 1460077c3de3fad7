"""What a person needs while writing a definition: the files' texts, and the values in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.edits import EditError, SettableValue
from benchmark_manager.domain.fields import LONGEST_PATH
from benchmark_manager.domain.sweeps.definition import read_definition
from benchmark_manager.errors import NotFoundError
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.original import FileFormat
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.sweep import SweepDefinition, SweptBase, SweptFile
from benchmark_manager.models.variant import Variant
from benchmark_manager.services.sweeps.drafting_work import (
    settable_on_lines,
    value_at_path,
    value_of_yaml,
)
from benchmark_manager.services.sweeps.editing import format_of_base
from benchmark_manager.services.sweeps.refusals import not_editable
from benchmark_manager.services.sweeps.stores import SweepStores
from benchmark_manager.stores.variants.variants import VariantFilter
from benchmark_manager.workers.pool import WorkerPool

#: Variants among which one is searched for by its own path.
_SEARCHED: Final = 50


@dataclass(frozen=True, slots=True)
class SweptText:
    """The text of a file that a definition may edit, and the original's path."""

    path: str
    text: str
    format: FileFormat


class SweepDrafting:
    """Reads files and definitions that are being written; nothing is stored."""

    def __init__(self, stores: SweepStores, workers: WorkerPool) -> None:
        self._stores = stores
        self._workers = workers

    async def definition_of(self, value: JsonValue) -> SweepDefinition:
        """Return the definition that a value is; its files are not read.

        Raises:
            InvalidInputError, TooComplexError, WorkersBusyError
        """
        return await self._workers.run(read_definition, value)

    async def value_of_yaml(self, text: str) -> JsonValue:
        """Return the value of a definition's YAML.

        Raises:
            InvalidInputError: `invalid_yaml`, as an `InvalidContentError` with problems.
            TooComplexError, WorkersBusyError
        """
        return await self._workers.run(value_of_yaml, text)

    async def find(self, principal: Principal, project_id: str, path: str) -> SweptFile | None:
        """Return the original of a path, or else the variant that has it; it has no alias yet."""
        principal.require("reader", project_id)
        if len(path) > LONGEST_PATH:
            return None
        if await self._original_of(project_id, path) is not None:
            return SweptFile(alias="", path=path)
        request = PageRequest(limit=_SEARCHED)
        page = await self._stores.variants.page(project_id, request, VariantFilter(query=path))
        same = [variant for variant in page.rows if variant.path == path]
        return SweptFile(alias="", variant_id=same[0].id) if same else None

    async def variant(
        self, principal: Principal, project_id: str, variant_id: str
    ) -> Variant | None:
        """Return a variant of the project, if there is one with this id."""
        principal.require("reader", project_id)
        try:
            variant = await self._stores.variants.get(variant_id)
        except NotFoundError:
            return None
        return variant if variant.project_id == project_id else None

    async def text_of(
        self,
        principal: Principal,
        project_id: str,
        file: SweptFile,
        bases: Sequence[SweptBase] = (),
    ) -> SweptText | None:
        """Return the text of a file: that of its base in a sweep, or else as it is now.

        None where the project has no such file.
        """
        principal.require("reader", project_id)
        for base in bases:
            if base.variant_id == file.variant_id and file.path in {None, base.path}:
                content = await self._stores.blobs.get(base.sha)
                return SweptText(base.path, content.decode(), format_of_base(base))
        if file.variant_id is not None:
            return await self._text_of_variant(principal, project_id, file.variant_id)
        file_id = await self._original_of(project_id, file.path or "")
        if file_id is None:
            return None
        original, content = await self._stores.originals.get_with_content(project_id, file_id)
        return SweptText(original.path, content.decode(), original.format)

    async def _text_of_variant(
        self, principal: Principal, project_id: str, variant_id: str
    ) -> SweptText | None:
        variant = await self.variant(principal, project_id, variant_id)
        if variant is None:
            return None
        content = await self._stores.blobs.get(variant.content_sha)
        return SweptText(variant.original_path, content.decode(), variant.format)

    async def _original_of(self, project_id: str, path: str) -> str | None:
        """Return the id of the original with a path; None where upstream removed it."""
        ids = await self._stores.originals.ids_by_path(project_id, [path])
        if path not in ids:
            return None
        original = await self._stores.originals.get(project_id, ids[path])
        return None if original.removed_at is not None else original.id

    async def value_at(self, text: SweptText, path: str) -> tuple[JsonValue] | None:
        """Return the value at a path of a text as a one-tuple; None if JSON has none such.

        Raises:
            TooComplexError, WorkersBusyError
        """
        try:
            return await self._workers.run(value_at_path, text.text, text.format, path)
        except EditError:
            return None

    async def settable(self, text: SweptText, first: int, last: int) -> Sequence[SettableValue]:
        """Return the values that can be set and begin on these lines of a text.

        Raises:
            InvalidInputError: `not_editable`.
            TooComplexError, WorkersBusyError
        """
        try:
            return await self._workers.run(settable_on_lines, text.text, text.format, first, last)
        except EditError as error:
            raise not_editable(error, text.path) from None
