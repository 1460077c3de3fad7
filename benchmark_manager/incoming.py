"""What every request tells, whether a program or a page sent it: the services behind it, and who asks."""

from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.exceptions import RequestValidationError

from benchmark_manager.factory import Services

# Coroutines, as all dependencies here: FastAPI runs a plain function in a thread, which costs as much as a query.


async def services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


ServicesDependency = Annotated[Services, Depends(services)]


async def actor(
    x_actor: Annotated[
        str | None, Header(max_length=200, description="Who is asking, for the record; else `anonymous`.")
    ] = None,
) -> str:
    name = _as_utf8((x_actor or "").strip())
    if any(not c.isprintable() for c in name):
        raise RequestValidationError([{"type": "x_actor", "loc": ("header", "x-actor"), "msg": "must be printable"}])
    return name or "anonymous"


def _as_utf8(value: str) -> str:
    """A header's text: it arrives as if its bytes were Latin-1, but clients write UTF-8."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


ActorDependency = Annotated[str, Depends(actor)]
