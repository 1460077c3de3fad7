"""Which contents a variant may be saved with."""

import hashlib
from collections.abc import Callable
from datetime import datetime

from benchmark_manager.domain.variants.edits import CheckedContent
from benchmark_manager.errors import InvalidContentError, InvalidInputError, TooComplexError
from benchmark_manager.models.original import OriginalFile
from benchmark_manager.models.problem import Verdict
from benchmark_manager.models.variant import Variant
from benchmark_manager.services.texts.text_work import TOO_COMPLEX
from benchmark_manager.services.validation.validation import ValidationService
from benchmark_manager.services.variants.stores import VariantStores


class VariantContents:
    """Checks contents that variants are to be saved with, and stores them."""

    def __init__(
        self,
        stores: VariantStores,
        validation: ValidationService,
        *,
        max_file_size: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._stores = stores
        self._validation = validation
        self._max_file_size = max_file_size
        self._clock = clock

    async def check_new(
        self, original: OriginalFile, data: bytes, *, allow_invalid: bool
    ) -> Verdict:
        """Return the verdict on a content that a variant of the original may be saved with.

        A variant of an original that does not parse may have any content.

        Raises:
            InvalidInputError: `too_large`.
            InvalidContentError, TooComplexError
        """
        strict = not allow_invalid and original.validity == "valid"
        return await self._verdict(data, original, strict=strict)

    async def check(self, variant: Variant, data: bytes, *, allow_invalid: bool) -> Verdict:
        """Return the verdict on a content that the variant may be saved with; store nothing.

        Raises:
            InvalidInputError: `too_large`.
            InvalidContentError, TooComplexError
        """
        # A content that is stored was accepted before: renaming it must not check it again.
        if hashlib.sha256(data).hexdigest() == variant.content_sha256:
            return Verdict(validity=variant.validity, problems=variant.problems)
        original = await self._stores.originals.get_alone(
            variant.project_id, variant.original_file_id
        )
        strict = not allow_invalid and original.validity == "valid"
        return await self._verdict(data, variant, strict=strict)

    async def _verdict(self, data: bytes, file: OriginalFile | Variant, *, strict: bool) -> Verdict:
        """Validate a content by the rules for the file's format and type.

        Raises:
            InvalidInputError: `too_large`.
            InvalidContentError, TooComplexError: `strict`, and the content is not valid.
        """
        if len(data) > self._max_file_size:
            raise InvalidInputError(
                "too_large", field="content", size=len(data), limit=self._max_file_size
            )
        try:
            verdict = await self._validation.validate(data.decode(), file.format, file.file_type)
        except TooComplexError:
            if strict:
                raise
            verdict = TOO_COMPLEX
        if verdict.validity != "valid" and strict:
            raise InvalidContentError(verdict.problems)
        return verdict

    async def store(self, variant: Variant, data: bytes, *, allow_invalid: bool) -> CheckedContent:
        """Check a content for the variant and store it.

        Raises:
            InvalidInputError: `too_large`.
            InvalidContentError, TooComplexError
        """
        verdict = await self.check(variant, data, allow_invalid=allow_invalid)
        sha256 = hashlib.sha256(data).hexdigest()
        [content_sha] = await self._stores.blobs.put([data], None, self._clock())
        return CheckedContent(
            sha=content_sha,
            sha256=sha256,
            size=len(data),
            verdict=verdict,
            problems_id=variant.problems_id if sha256 == variant.content_sha256 else None,
        )
