"""Write and read the records of changes, sign-ins and refusals."""

import hashlib
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from benchmark_manager.models.access.audit import (
    AuditActor,
    AuditFilter,
    AuditObject,
    AuditRecord,
)
from benchmark_manager.models.access.credentials import ApiToken
from benchmark_manager.models.access.principal import Principal, includes, service_principal
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.recorded_change import RecordedChange, RefusedChange
from benchmark_manager.stores.access.audit import AuditStore
from benchmark_manager.stores.database.database import Database, Session, milliseconds

#: Operators send these lines where they keep logs that nobody may change.
_log = structlog.get_logger("audit")

#: Of an id of the database, in hexadecimal.
_ID_DIGITS: Final = 24
_NO_OBJECT: Final = AuditObject(kind="service", id="", name="")


class AuditLog:
    """Writes records: of a change in its transaction, of everything else alone.

    Administrators read all of them; maintainers those of their projects.
    """

    def __init__(
        self, store: AuditStore, *, kept: timedelta | None = None, clock: Callable[[], datetime]
    ) -> None:
        """`kept` is how long records are kept; None: for ever."""
        self._store = store
        self._kept = kept
        self._clock = clock

    async def __call__(self, changes: Sequence[RecordedChange], session: Session) -> None:
        """Write the records of changes of projects, variants and releases."""
        await self._write([self._of_change(change) for change in changes], session)

    async def done(
        self,
        principal: Principal,
        action: str,
        subject: AuditObject | None = None,
        *,
        session: Session | None,
        project_id: str | None = None,
        keys: Sequence[str] = (),
        revision: int | None = None,
    ) -> None:
        """Write the record of what was done to `subject`, in the transaction that does it."""
        record = self._record(principal, action, subject, project_id).model_copy(
            update={"keys": tuple(keys), "revision": revision}
        )
        await self._write([record], session)

    async def refused(
        self,
        principal: Principal,
        action: str,
        subject: AuditObject | None = None,
        *,
        project_id: str | None = None,
    ) -> None:
        """Write the record of what was refused."""
        record = self._record(principal, action, subject, project_id)
        await self._write([record.model_copy(update={"outcome": "refused"})], None)

    async def record_refusal(self, refusal: RefusedChange) -> None:
        """Write the record of a change for which a role does not suffice."""
        kind = refusal.action.partition(".")[0]
        subject = AuditObject(kind=kind, id=refusal.object_id or "", name="")
        await self.refused(
            refusal.principal, refusal.action, subject, project_id=refusal.project_id
        )

    async def first_use(self, token: ApiToken, principal: Principal) -> None:
        """Write the record of a token's first use of a day."""
        subject = AuditObject(kind="token", id=token.id, name=token.name)
        await self.done(principal, "token_use", subject, session=None)

    async def first_of_day(self, principal: Principal) -> None:
        """Write the record of the first request of a day by a signed token or a proxy.

        Of several replicas one writes it: its id follows from the day and from who asks.
        """
        is_proxy = principal.via == "proxy"
        kind = "account" if is_proxy else "federation"
        subject = AuditObject(kind=kind, id=principal.id, name=principal.name)
        record = self._record(principal, "sign_in" if is_proxy else "token_use", subject, None)
        who = (record.at.date().isoformat(), principal.via, principal.id, principal.name)
        key = hashlib.sha256("\n".join(who).encode()).hexdigest()[:_ID_DIGITS]
        await self._store.insert_once(record.model_copy(update={"id": key}), stored=_logged)

    async def page(
        self, principal: Principal, wanted: AuditFilter, request: PageRequest
    ) -> Page[AuditRecord]:
        """Return a page of the records that a filter leaves, newest first.

        Raises:
            NotFoundError: a project of the filter may not be read.
            ForbiddenError
            InvalidInputError: `invalid_cursor`.
        """
        return await self._store.page(_within(principal, wanted), request)

    def every(self, principal: Principal, wanted: AuditFilter) -> AsyncGenerator[AuditRecord]:
        """Yield all records that a filter leaves, newest first.

        Raises:
            NotFoundError, ForbiddenError: as `page`, and before the first record is asked for.
        """
        return self._store.every(_within(principal, wanted))

    async def purge(self, now: datetime) -> int:
        """Delete records that are too old, and record that; return how many there were."""
        if self._kept is None:
            return 0
        deleted = await self._store.purge(now - self._kept)
        if deleted:
            await self.done(service_principal("housekeeping"), "audit.purge", session=None)
        return deleted

    def _of_change(self, change: RecordedChange) -> AuditRecord:
        kind = change.action.partition(".")[0]
        subject = AuditObject(kind=kind, id=change.object_id, name=change.name)
        return self._record(change.principal, change.action, subject, change.project_id).model_copy(
            update={"keys": change.keys, "revision": change.after}
        )

    def _record(
        self,
        principal: Principal,
        action: str,
        subject: AuditObject | None,
        project_id: str | None,
    ) -> AuditRecord:
        return AuditRecord(
            id=Database.new_id(),
            at=milliseconds(self._clock()),
            actor=AuditActor(
                kind=principal.kind, id=principal.id, name=principal.name, via=principal.via
            ),
            action=action,
            project_id=project_id,
            object=subject or _NO_OBJECT,
            address=principal.address,
            request_id=principal.request_id,
            on_behalf_of=principal.on_behalf_of,
            outcome="done",
        )

    async def _write(self, records: Sequence[AuditRecord], session: Session | None) -> None:
        def report() -> None:
            for record in records:
                _logged(record)

        await self._store.insert(records, session, stored=report)


def _logged(record: AuditRecord) -> None:
    _log.info(record.action, **record.model_dump(exclude={"action"}, mode="json"))


def _within(principal: Principal, wanted: AuditFilter) -> AuditFilter:
    """Return the filter without what the principal may not read.

    Raises:
        NotFoundError, ForbiddenError
    """
    principal.require_somewhere("maintainer")
    for project_id in wanted.project_ids or ():
        principal.require("maintainer", project_id)
    if wanted.project_ids is not None or includes(principal.site_role, "admin"):
        return wanted
    allowed = principal.allowed("maintainer")
    # Sign-ins and accounts belong to no project: these records are for administrators.
    limits = {"of_projects": True} if allowed is None else {"project_ids": allowed}
    return wanted.model_copy(update=limits)
