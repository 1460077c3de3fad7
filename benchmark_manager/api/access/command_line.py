"""The token that a person confirmed in a browser, for the command line that asked for it."""

from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from pydantic import Field, SecretStr, StringConstraints

from benchmark_manager.api.access.shapes import NewTokenAnswer
from benchmark_manager.api.http.hosts import caller_of
from benchmark_manager.api.http.json_bodies import BoundedBody
from benchmark_manager.api.http.requests import ServicesDependency, json_resource
from benchmark_manager.api.http.shapes import RequestBody
from benchmark_manager.domain.access.command_line import SECRET_FORM
from benchmark_manager.incoming import OPEN, request_id_of

# Not described: it is for this service's own command line, and changes with it.
router = APIRouter(include_in_schema=False, route_class=BoundedBody, strict_content_type=False)

#: Characters of a code, which names up to 20 projects.
_LONGEST_CODE: Final = 4000
_VERIFIER: Final = StringConstraints(pattern=f"^{SECRET_FORM}$")


class Redemption(RequestBody):
    """A code, and the verifier whose challenge was confirmed with it."""

    code: Annotated[SecretStr, Field(max_length=_LONGEST_CODE)]
    verifier: Annotated[str, _VERIFIER, Field(repr=False)]


@router.post("/auth/command-line", status_code=201, dependencies=[OPEN])
async def redeem_code(request: Request, services: ServicesDependency, body: Redemption) -> Response:
    """Make the token, once; its text is shown this once."""
    address = caller_of(request.scope)
    services.access.sign_ins.take(address)
    made = await services.access.command_line.redeem(
        body.code.get_secret_value(),
        body.verifier,
        address=address,
        request_id=request_id_of(request.scope),
    )
    answer = NewTokenAnswer.with_text(made.token, made.text)
    shown = json_resource(request, answer, status_code=201, location=f"/tokens/{made.token.id}")
    shown.headers["Cache-Control"] = "no-store"
    return shown
