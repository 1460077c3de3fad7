"""The limits of credentials: shared by replicas, and kept over a restart."""

from datetime import datetime, timedelta
from typing import Final, get_args

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from benchmark_manager.models.governor import GovernorState, LimitResource, RateLimit
from benchmark_manager.stores.database.database import Database, Document
from benchmark_manager.stores.database.store import Store

#: No limit of GitHub's outlasts this.
_KEPT: Final = timedelta(hours=2)
#: Points are counted for the last minute only.
_COUNTED: Final = timedelta(minutes=2)
_RESOURCES: Final = get_args(LimitResource)
_DUPLICATE_KEY: Final = 11000


class GovernorStore(Store):
    """The `github_limits` collection: one document a credential, under its fingerprint."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._limits = database.collection("github_limits")

    async def add(self, state: GovernorState, now: datetime) -> None:
        """Add what a process learnt and spent with a credential since its last call."""
        changes: Document = {
            "$set": {
                "api_url": state.api_url,
                "kind": state.kind,
                "updated_at": now,
            }
        }
        spent = {
            f"spent.{name}.{step}": points
            for name, steps in state.spent.items()
            for step, points in steps.items()
        }
        if spent:
            changes["$inc"] = spent
        if state.blocked_until is not None:
            changes["$max"] = {"blocked_until": state.blocked_until}
        updates = [
            UpdateOne({"_id": state.fingerprint}, changes, upsert=True),
            *(_newer_limit(state.fingerprint, *limit) for limit in state.limits.items()),
        ]
        try:
            await self._limits.bulk_write(updates)
        except BulkWriteError as error:
            if [failure["code"] for failure in error.details["writeErrors"]] != [_DUPLICATE_KEY]:
                raise
            # Another replica was the first to store this credential, and nothing was written.
            await self._limits.bulk_write(updates)

    async def all(self, now: datetime) -> list[GovernorState]:
        """Return what processes stored lately; delete what is older."""
        over = now - _KEPT
        rows = await self._limits.find({}).to_list()
        lately = [row for row in rows if row["updated_at"] >= over]
        if len(lately) < len(rows):
            await self._limits.delete_many({"updated_at": {"$lt": over}})
        states = []
        oldest = (now - _COUNTED).timestamp()
        for row in lately:
            # A newer version may count further resources.
            spent = {
                name: {int(step): n for step, n in steps.items()}
                for name, steps in row.get("spent", {}).items()
                if name in _RESOURCES
            }
            old = [
                f"spent.{name}.{step}"
                for name, steps in spent.items()
                for step in steps
                if step < oldest
            ]
            if old:
                await self._limits.update_one(
                    {"_id": row["_id"]}, {"$unset": dict.fromkeys(old, "")}
                )
            states.append(
                GovernorState(
                    fingerprint=row["_id"],
                    api_url=row["api_url"],
                    kind=row["kind"],
                    limits={
                        name: RateLimit(**limit)
                        for name, limit in row.get("limits", {}).items()
                        if name in _RESOURCES
                    },
                    blocked_until=row.get("blocked_until"),
                    spent={
                        name: {s: n for s, n in steps.items() if s >= oldest}
                        for name, steps in spent.items()
                    },
                )
            )
        return states


def _newer_limit(fingerprint: str, name: str, limit: RateLimit) -> UpdateOne:
    """Return the update that stores a limit where it is news.

    Another process may know of a window that began later, or how much less is left of this one.
    """
    field = f"limits.{name}"
    news = [
        {f"{field}.reset_at": {"$not": {"$gte": limit.reset_at}}},
        {f"{field}.reset_at": limit.reset_at, f"{field}.remaining": {"$gt": limit.remaining}},
    ]
    changes = {f"{field}.{key}": value for key, value in limit.model_dump().items()}
    return UpdateOne({"_id": fingerprint, "$or": news}, {"$set": changes})
