"""The page on which a person lets the command line have a token."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from benchmark_manager.domain.access.command_line import (
    HIGHEST_PORT,
    LOWEST_PORT,
    SECRET_FORM,
    LoopbackHost,
    answer_address,
    check_of,
    loopback_origin,
)
from benchmark_manager.domain.fields import LONGEST_ID
from benchmark_manager.incoming import AnyPrincipal, ServicesDependency
from benchmark_manager.models.access.command_line import WantedToken
from benchmark_manager.models.access.principal import Role
from benchmark_manager.web import PREFIX
from benchmark_manager.web.site.forms import FormDependency
from benchmark_manager.web.site.headers import policy_with_forms_to
from benchmark_manager.web.site.rendering import render, see_other

router = APIRouter(prefix=PREFIX, include_in_schema=False)

_LONGEST_NAME: Final = 200
#: Projects that a token may be limited to here; the page of tokens takes more.
_MOST_PROJECTS: Final = 20
_MOST_DAYS: Final = 366
#: Policies cannot name this address, so they name all of its scheme.
_IPV6: Final = "[::1]"

_Secret = Query(pattern=f"^{SECRET_FORM}$")


class CommandLine:
    """A command line that waits at a port of the browser's machine, and what it wants."""

    def __init__(
        self,
        *,
        port: Annotated[int, Query(ge=LOWEST_PORT, le=HIGHEST_PORT)],
        state: Annotated[str, _Secret],
        challenge: Annotated[str, _Secret],
        name: Annotated[str, Query(max_length=_LONGEST_NAME)],
        host: LoopbackHost = "127.0.0.1",
        role: Role = "admin",
        days: Annotated[int, Query(ge=1, le=_MOST_DAYS)] = 90,
        project: Annotated[
            tuple[Annotated[str, Query(max_length=LONGEST_ID)], ...],
            Query(max_length=_MOST_PROJECTS),
        ] = (),
    ) -> None:
        self._host: LoopbackHost = host
        self._port = port
        self._state = state
        self.wanted = WantedToken(
            name=name,
            role=role,
            project_ids=frozenset(project) or None,
            days=days,
            challenge=challenge,
        )

    @property
    def form_target(self) -> str:
        """What the page's policy names, so that its form may lead to the command line."""
        return "http:" if self._host == _IPV6 else loopback_origin(self._host, self._port)

    def address(self, **answer: str) -> str:
        """Return where the browser delivers the answer."""
        return answer_address(self._host, self._port, self._state, **answer)


CommandLineDependency = Annotated[CommandLine, Depends()]


@router.get("/command-line")
async def ask(
    request: Request,
    services: ServicesDependency,
    principal: AnyPrincipal,
    asking: CommandLineDependency,
) -> Response:
    wanted = asking.wanted
    if principal.via == "open":
        return render(request, "access/command_line.html", wanted=None)
    services.access.command_line.check(principal, wanted)
    projects = [await services.projects.get(key) for key in sorted(wanted.project_ids or ())]
    return render(
        request,
        "access/command_line.html",
        headers={
            "Content-Security-Policy": policy_with_forms_to(request, asking.form_target),
            "Cache-Control": "no-store",
        },
        wanted=wanted,
        check=check_of(wanted.challenge),
        projects=[project.name for project in projects],
    )


@router.post("/command-line")
async def answer(
    services: ServicesDependency,
    principal: AnyPrincipal,
    asking: CommandLineDependency,
    form: FormDependency,
) -> Response:
    """Send the browser back to the command line, with a code that only this one can use."""
    if form.text("decision") != "confirm":
        return see_other(asking.address(error="denied"))
    code = services.access.command_line.confirm(principal, asking.wanted)
    response = see_other(asking.address(code=code))
    response.headers["Cache-Control"] = "no-store"
    return response


@router.get("/command-line/done")
async def show_end(request: Request, _: AnyPrincipal) -> Response:
    """Show that the terminal goes on; the address of this page has nothing of the sign-in."""
    return render(request, "access/command_line_done.html")
