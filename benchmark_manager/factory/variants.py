"""Builds the services of variants."""

from dataclasses import dataclass
from datetime import timedelta

from benchmark_manager.factory.parts import Parts
from benchmark_manager.services.variants.comparing import ComparisonService
from benchmark_manager.services.variants.contents import VariantContents
from benchmark_manager.services.variants.editor import VariantEditor
from benchmark_manager.services.variants.large_resets import LargeResets
from benchmark_manager.services.variants.merging import MergeService
from benchmark_manager.services.variants.reattaching import ReattachService
from benchmark_manager.services.variants.rebase_all import RebaseAllService
from benchmark_manager.services.variants.revisions import RevisionService
from benchmark_manager.services.variants.stores import VariantStores
from benchmark_manager.services.variants.trash import TrashService
from benchmark_manager.services.variants.variants import VariantService


@dataclass(frozen=True, slots=True)
class VariantParts:
    """The services of variants."""

    variants: VariantService
    revisions: RevisionService
    trash: TrashService
    merging: MergeService
    rebase_all: RebaseAllService
    reattaching: ReattachService
    comparing: ComparisonService


def variant_parts(parts: Parts, resets: LargeResets) -> VariantParts:
    """Build everything that reads and changes variants."""
    stores, settings, clock = _stores(parts), parts.settings, parts.clock
    editor = VariantEditor(stores, clock=clock, record=parts.audit)
    contents = VariantContents(
        stores, parts.validation, max_file_size=settings.max_file_size, clock=clock
    )
    variants = VariantService(stores, editor, contents, parts.drift, clock=clock)
    revisions = RevisionService(stores, editor, variants, parts.drift, parts.validation)
    merging = MergeService(stores, editor, variants, contents, parts.workers)
    return VariantParts(
        variants=variants,
        revisions=revisions,
        trash=TrashService(
            stores,
            editor,
            variants,
            parts.drift,
            resets,
            retention=timedelta(days=settings.trash_retention_days),
            clock=clock,
            record=parts.audit,
        ),
        merging=merging,
        rebase_all=RebaseAllService(stores, contents, merging, parts.workers),
        reattaching=ReattachService(stores, editor, variants, parts.validation, parts.workers),
        comparing=ComparisonService(stores, variants, revisions, parts.workers),
    )


def _stores(parts: Parts) -> VariantStores:
    stores = parts.stores
    return VariantStores(
        database=parts.database,
        projects=stores.projects,
        originals=stores.originals,
        variants=stores.variants,
        revisions=stores.revisions,
        trash=stores.trash,
        blobs=stores.blobs,
    )
