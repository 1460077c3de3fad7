"""Builds the services of variants."""

from dataclasses import dataclass
from datetime import timedelta

from benchmark_manager.factory.parts import Parts
from benchmark_manager.services.variants.comparing import ComparisonService
from benchmark_manager.services.variants.large_resets import LargeResets
from benchmark_manager.services.variants.merging import MergeService
from benchmark_manager.services.variants.reattaching import ReattachService
from benchmark_manager.services.variants.rebase_all import RebaseAllService
from benchmark_manager.services.variants.revisions import RevisionService
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
    stores = parts.stores
    variants = VariantService(
        parts.database,
        stores.projects,
        stores.originals,
        stores.variants,
        stores.blobs,
        parts.drift,
        parts.validation,
        max_file_size=parts.settings.max_file_size,
        clock=parts.clock,
    )
    revisions = _revisions(parts, variants)
    merging = MergeService(
        parts.database,
        variants,
        stores.originals,
        stores.variants,
        stores.blobs,
        parts.workers,
        clock=parts.clock,
    )
    return VariantParts(
        variants=variants,
        revisions=revisions,
        trash=_trash(parts, variants, resets),
        merging=merging,
        rebase_all=_rebase_all(parts, variants, merging),
        reattaching=_reattaching(parts, variants),
        comparing=_comparing(parts, variants, revisions),
    )


def _revisions(parts: Parts, variants: VariantService) -> RevisionService:
    stores = parts.stores
    return RevisionService(
        parts.database,
        variants,
        stores.originals,
        stores.variants,
        stores.revisions,
        stores.blobs,
        parts.drift,
        parts.validation,
        clock=parts.clock,
    )


def _trash(parts: Parts, variants: VariantService, resets: LargeResets) -> TrashService:
    stores = parts.stores
    return TrashService(
        parts.database,
        variants,
        stores.projects,
        stores.originals,
        stores.variants,
        stores.revisions,
        stores.trash,
        parts.drift,
        resets,
        retention=timedelta(days=parts.settings.trash_retention_days),
        clock=parts.clock,
    )


def _rebase_all(parts: Parts, variants: VariantService, merging: MergeService) -> RebaseAllService:
    stores = parts.stores
    return RebaseAllService(
        stores.projects,
        variants,
        merging,
        stores.originals,
        stores.variants,
        parts.workers,
    )


def _reattaching(parts: Parts, variants: VariantService) -> ReattachService:
    stores = parts.stores
    return ReattachService(
        parts.database,
        variants,
        stores.originals,
        stores.variants,
        stores.blobs,
        parts.validation,
        parts.workers,
        clock=parts.clock,
    )


def _comparing(
    parts: Parts, variants: VariantService, revisions: RevisionService
) -> ComparisonService:
    stores = parts.stores
    return ComparisonService(
        variants,
        revisions,
        stores.projects,
        stores.originals,
        stores.variants,
        stores.blobs,
        parts.workers,
    )
