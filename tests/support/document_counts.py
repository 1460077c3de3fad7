"""How many documents collections of a service's database have."""

from support.service import Service


async def document_counts(service: Service, *collections: str) -> dict[str, int]:
    """Return the number of documents, by collection."""
    database = service.services.database
    return {name: await database.collection(name).count_documents({}) for name in collections}
