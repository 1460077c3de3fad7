"""Schema version 2, from the databases of 0.1.0."""

from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.projects.documents import project_document, project_of

#: What projects of the first builds of 0.1.0 lack; without it they would never be due.
_ADDED = ("due_rank", "credential")


async def migrate(database: Database) -> int:
    """Add what documents of the first builds lack; returns how many were changed."""
    projects = database.collection("projects")
    changed = 0
    async for row in projects.find({"due_rank": {"$exists": False}}):
        document = project_document(project_of(row))
        added = {name: document[name] for name in _ADDED}
        result = await projects.update_one(
            {"_id": row["_id"], "due_rank": {"$exists": False}}, {"$set": added}
        )
        changed += result.modified_count
    return changed
