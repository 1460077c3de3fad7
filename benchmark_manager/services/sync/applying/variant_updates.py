"""Updates variants in a sync: where their originals are now, and what became of these."""

from collections import Counter
from collections.abc import Collection, Mapping

from benchmark_manager.domain.sync.tree_changes import TreeChanges, UpstreamFile, without_renames
from benchmark_manager.models.variant import Drift, SyncedVariant, variant_path
from benchmark_manager.services.variants.drift import Judgements, MergeQuestion
from benchmark_manager.stores.database.database import Session
from benchmark_manager.stores.variants.variants import VariantStore


class UnjudgedError(Exception):
    """These merges have to be judged before the transaction is repeated.

    A transaction must not be open for as long as judging takes.
    """

    def __init__(self, questions: Collection[MergeQuestion]) -> None:
        super().__init__(f"{len(questions)} merges are not judged")
        self.questions = questions


class VariantUpdates:
    """The part of a sync's transaction that concerns variants. It never changes their contents."""

    def __init__(self, variants: VariantStore) -> None:
        self._variants = variants

    async def free_of_collisions(
        self, project_id: str, changes: TreeChanges, session: Session | None
    ) -> TreeChanges:
        """Replace a rename by a removal and an addition where two variants would get the same path.

        So every variant keeps its path and its original's record, and no sync fails because of a
        name.
        """
        moved = {old.id: new.path for old, new in changes.moved}
        arriving = [
            (variant.original_file_id, target)
            for variant in await self._variants.synced(project_id, moved, session)
            # A rename within one folder does not change the paths of its variants.
            if (target := variant_path(moved[variant.original_file_id], variant.modified_name))
            != variant.path
        ]
        arrivals = Counter(target for _, target in arriving)
        taken = await self._variants.taken_paths(project_id, arrivals, session)
        clashing = {
            original for original, target in arriving if target in taken or arrivals[target] > 1
        }
        return without_renames(changes, clashing)

    async def follow(
        self,
        project_id: str,
        changes: TreeChanges,
        judged: Judgements,
        session: Session,
        *,
        at_most: int,
    ) -> int:
        """Update the variants of changed originals, at most `at_most` of them.

        Returns:
            How many are left to update.

        Raises:
            UnjudgedError: nothing was written.
        """
        became = {old.id: new for old, new in (*changes.updated, *changes.revived, *changes.moved)}
        gone = {old.id for old in changes.removed}
        variants = await self._variants.synced(project_id, {*became, *gone}, session)
        steps = [(variant, became.get(variant.original_file_id)) for variant in variants]
        questions = {_question(variant, new) for variant, new in steps if new is not None}
        drifts = judged | {
            question: drift for question in questions if (drift := question.obvious) is not None
        }
        if unjudged := questions - drifts.keys():
            raise UnjudgedError(unjudged)
        after = [(variant, _updated(variant, new, drifts)) for variant, new in steps]
        moved = [new for old, new in after if new != old]
        await self._variants.store_synced(moved[:at_most], session)
        return max(0, len(moved) - at_most)

    async def drifts(self, project_id: str, session: Session) -> dict[Drift, int]:
        """Count the project's variants by drift."""
        return await self._variants.drifts(project_id, session)


def _question(variant: SyncedVariant, original: UpstreamFile) -> MergeQuestion:
    return MergeQuestion(variant.base_sha, original.sha, variant.content_sha, variant.format)


def _updated(
    variant: SyncedVariant, original: UpstreamFile | None, drifts: Mapping[MergeQuestion, Drift]
) -> SyncedVariant:
    """Return the variant after the change of its original (None: it was removed upstream)."""
    if original is None:
        return variant.at(variant.original_path, variant.file_type, "upstream_removed")
    return variant.at(original.path, original.file_type, drifts[_question(variant, original)])
