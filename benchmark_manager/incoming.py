"""What every request of programs and pages has: its path, the services and the principal."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, FastAPI, Header, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.types import Scope

from benchmark_manager.domain.fields import LONGEST_ACTOR
from benchmark_manager.errors import (
    BenchmarkManagerError,
    ForbiddenError,
    UnauthenticatedError,
)
from benchmark_manager.factory import Services
from benchmark_manager.models.access.principal import Principal, Role
from benchmark_manager.services.access.identities import Credentials

_ERROR: Final = "benchmark_manager.error"
_REQUEST_ID: Final = "benchmark_manager.request_id"
_PRINCIPAL: Final = "benchmark_manager.principal"
_CREDENTIALS: Final = "benchmark_manager.credentials"

#: Where a role is needed: in the project of the path; in that of an object, which its service
#: finds and checks; for the whole site; or nowhere: any principal may.
Where = Literal["project", "object", "site", "anywhere"]

# Coroutines, as all dependencies here: FastAPI runs a plain function in a thread, which costs as
# much as a query.


async def services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


ServicesDependency = Annotated[Services, Depends(services)]


def request_id_of(scope: Scope) -> str:
    """Return the request's id, by which the audit and the log name it."""
    found: str = scope.setdefault("state", {}).setdefault(_REQUEST_ID, secrets.token_hex(8))
    return found


def keep_principal(scope: Scope, principal: Principal) -> None:
    """Keep who makes a request, for its route."""
    scope.setdefault("state", {})[_PRINCIPAL] = principal


def kept_principal(scope: Scope) -> Principal | None:
    """Return who makes a request; None where an open route serves a request without identity."""
    found: Principal | None = scope.get("state", {}).get(_PRINCIPAL)
    return found


def keep_credentials(scope: Scope, credentials: Credentials) -> None:
    """Keep what a request carries, for a route that asks again who makes it."""
    scope.setdefault("state", {})[_CREDENTIALS] = credentials


def kept_credentials(scope: Scope) -> Credentials:
    """Return what a request carries that may prove who makes it."""
    found: Credentials = scope["state"][_CREDENTIALS]
    return found


@dataclass(frozen=True)
class Need:
    """What a route needs of the principal: as its dependency, it returns the principal.

    `action` names the change that the route makes, for the record of one that is refused.
    """

    role: Role | None
    where: Where
    action: str | None = None

    async def __call__(self, request: Request) -> Principal:
        """Return the principal.

        Raises:
            UnauthenticatedError
            NotFoundError: the project in the path may not be read.
            ForbiddenError: the role does not suffice.
        """
        return self._checked(request, kept_principal(request.scope))

    def _checked(self, request: Request, principal: Principal | None) -> Principal:
        if principal is None:
            raise UnauthenticatedError
        if self.role is not None and self.where == "project":
            principal.require(self.role, request.path_params["project_id"])
        elif self.role is not None and self.where == "site":
            principal.require_site_wide(self.role)
        return principal


@dataclass(frozen=True)
class ChangeNeed(Need):
    """The same for a change, which may be made for somebody else."""

    async def __call__(
        self,
        request: Request,
        x_actor: Annotated[
            str | None,
            Header(
                max_length=LONGEST_ACTOR,
                description="Who is asking, for the record; else `anonymous`. With "
                "`AUTH=required` only tokens that may act for others send it.",
            ),
        ] = None,
    ) -> Principal:
        principal = self._checked(request, kept_principal(request.scope))
        name = _as_utf8((x_actor or "").strip())
        if any(not c.isprintable() for c in name):
            raise RequestValidationError(
                [{"type": "x_actor", "loc": ("header", "x-actor"), "msg": "must be printable"}]
            )
        return _acting_for(principal, name) if name else principal


def _acting_for(principal: Principal, name: str) -> Principal:
    """Return the principal as it acts for a person.

    Raises:
        ForbiddenError: it may not.
    """
    if principal.via == "open":
        return principal.model_copy(update={"name": name})
    if not principal.may_act_for_others:
        raise ForbiddenError("admin", "act_for_others")
    return principal.model_copy(update={"on_behalf_of": name})


def _as_utf8(value: str) -> str:
    """Return a header's text: it arrives as if its bytes were Latin-1, but clients write UTF-8."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


# These return `Any`, as `Depends` does.
def requires(role: Role, where: Where = "project") -> Any:  # noqa: ANN401
    """Return the dependency of a route that reads; see `Need`."""
    return Depends(Need(role, where))


def changes(action: str, role: Role | None, where: Where = "project") -> Any:  # noqa: ANN401
    """Return the dependency of a route that changes something; see `ChangeNeed`."""
    return Depends(ChangeNeed(role, where, action))


async def _open(_: Request) -> None:
    """Serve everybody."""


#: The dependency of a route that serves requests without an identity.
OPEN: Final = Depends(_open)

#: Readers of the project that the path names.
Reader = Annotated[Principal, requires("reader")]
#: Readers of an object whose project its service finds.
ObjectReader = Annotated[Principal, requires("reader", "object")]
#: Any principal; what it may not read is left out.
AnyPrincipal = Annotated[Principal, Depends(Need(None, "anywhere"))]


def need_of(route: APIRoute) -> Need | None:
    """Return what a route needs; None for an open one.

    Raises:
        LookupError: it declares nothing.
    """
    needs = list(_needs(route.dependant))
    if not needs:
        raise LookupError(
            f"{sorted(route.methods or ())} {route.path} does not declare who may use it"
        )
    [need] = needs
    if need is not None and need.where == "project" and "{project_id}" not in route.path:
        raise LookupError(f"{route.path} names no project")
    return need


def _needs(dependant: Dependant) -> Iterator[Need | None]:
    for dependency in dependant.dependencies:
        if isinstance(dependency.call, Need):
            yield dependency.call
        elif dependency.call is _open:
            yield None
        else:
            yield from _needs(dependency)


def check_declarations(app: FastAPI) -> None:
    """Check that every route declares who may use it.

    Raises:
        LookupError: one does not.
    """
    for route in app.router.routes:
        if isinstance(route, APIRoute):
            need_of(route)


def root_path(scope: Scope) -> str:
    """Return the path below which clients reach the service, such as `/benchmarks`; mostly "".

    In a request's scope `path` begins with it, whether a proxy has cut it off or not (see
    `api.http.middleware.Edge`).
    """
    # `root_path` itself also names the mount which answers, once there is one.
    found: str = scope.get("app_root_path", scope.get("root_path", ""))
    return found


def own_path(scope: Scope) -> str:
    """Return the path as the service's routes name it, without what a proxy has before it."""
    path: str = scope["path"]
    return path.removeprefix(root_path(scope))


def keep_error(scope: Scope, error: BenchmarkManagerError) -> None:
    """Keep the error that a request is answered with, for the middleware around."""
    scope.setdefault("state", {})[_ERROR] = error


def kept_error(scope: Scope) -> BenchmarkManagerError | None:
    """Return the error that a request was answered with; None without one."""
    found: BenchmarkManagerError | None = scope.get("state", {}).get(_ERROR)
    return found
