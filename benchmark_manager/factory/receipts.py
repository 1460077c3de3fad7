"""Builds the service of receipts."""

from benchmark_manager.factory.parts import Parts
from benchmark_manager.services.results.receipts import ReceiptService, ReceiptStores


def receipt_service(parts: Parts) -> ReceiptService:
    """Build what keeps receipts."""
    stores = ReceiptStores(
        database=parts.database,
        projects=parts.stores.projects,
        releases=parts.stores.releases,
        receipts=parts.stores.receipts,
    )
    return ReceiptService(stores, clock=parts.clock, record=parts.audit)
