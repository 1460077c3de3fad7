"""Who makes changes on pages; with AUTH=open, by the name that was entered in the browser."""

from typing import Annotated, Any

from fastapi import Depends, Header, Request

from benchmark_manager.domain.fields import LONGEST_ACTOR
from benchmark_manager.incoming import ChangeNeed, Where
from benchmark_manager.models.access.principal import Principal, Role
from benchmark_manager.services.access.identities import ANONYMOUS
from benchmark_manager.web.site.reader import name_of


class PersonNeed(ChangeNeed):
    """The same on pages: where AUTH=open, the name that was entered in the browser counts.

    A name that a proxy sends counts more; neither is verified here.
    """

    async def __call__(
        self,
        request: Request,
        x_actor: Annotated[str | None, Header(max_length=LONGEST_ACTOR)] = None,
    ) -> Principal:
        return named(request, await super().__call__(request, x_actor))


def named(request: Request, principal: Principal) -> Principal:
    """Return the principal with the name entered in the browser, if no other is known."""
    name = name_of(request)
    if principal.via != "open" or principal.name != ANONYMOUS or not name:
        return principal
    return principal.model_copy(update={"name": name})


# It returns `Any`, as `Depends` does.
def page_changes(action: str, role: Role | None, where: Where = "project") -> Any:  # noqa: ANN401
    """Return the dependency of a page's form that changes something; see `incoming.changes`."""
    return Depends(PersonNeed(role, where, action))
