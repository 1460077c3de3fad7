"""What every request of programs and pages has: its path, the services and the actor."""

from typing import Annotated, Final

from fastapi import Depends, Header, Request
from fastapi.exceptions import RequestValidationError
from starlette.types import Scope

from benchmark_manager.domain.fields import LONGEST_ACTOR
from benchmark_manager.errors import BenchmarkManagerError
from benchmark_manager.factory import Services

_ERROR: Final = "benchmark_manager.error"

# Coroutines, as all dependencies here: FastAPI runs a plain function in a thread, which costs as
# much as a query.


async def services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


ServicesDependency = Annotated[Services, Depends(services)]


async def actor(
    x_actor: Annotated[
        str | None,
        Header(
            max_length=LONGEST_ACTOR, description="Who is asking, for the record; else `anonymous`."
        ),
    ] = None,
) -> str:
    name = _as_utf8((x_actor or "").strip())
    if any(not c.isprintable() for c in name):
        raise RequestValidationError(
            [{"type": "x_actor", "loc": ("header", "x-actor"), "msg": "must be printable"}]
        )
    return name or "anonymous"


def _as_utf8(value: str) -> str:
    """Return a header's text: it arrives as if its bytes were Latin-1, but clients write UTF-8."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


ActorDependency = Annotated[str, Depends(actor)]


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
