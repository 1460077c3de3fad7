"""The demo with accounts: they are made before the start, and get their roles by the API."""

from typing import TYPE_CHECKING, Any, Final

import httpx2 as httpx
from rich.console import Console

from benchmark_manager.cli.operations.demo_requests import checked
from benchmark_manager.demo.people import DemoPeople, DemoPerson
from benchmark_manager.models.access.principal import service_principal

if TYPE_CHECKING:
    from benchmark_manager.factory import Services

_HIDDEN_NAME: Final = "Next quarter"


async def make_accounts(services: "Services", people: DemoPeople) -> None:
    """Make the accounts; only the administrator has a site-wide role.

    Before the service starts, as it would else print a link that makes an administrator.
    """
    command = service_principal("command")
    accounts = services.access.accounts
    first = people.administrator
    await accounts.create(command, first.name, first.password, first.role)
    for person in people.members:
        await accounts.create(command, person.name, person.password, None)


async def sign_in(http: httpx.AsyncClient, person: DemoPerson) -> None:
    """Sign a person in; `http` keeps the cookie and sends the service's own origin.

    Raises:
        StartError: the service refuses it.
    """
    http.headers["Origin"] = str(http.base_url).rstrip("/")
    body = {"name": person.name, "password": person.password}
    await checked(http.post("/sessions", json=body))


async def give_roles(
    http: httpx.AsyncClient, people: DemoPeople, project: dict[str, Any], hidden: dict[str, Any]
) -> None:
    """Give each member a role in the sample project; in the hidden one, only the maintainer.

    `http` is signed in as the administrator, and `hidden` is the body of that project.

    Raises:
        StartError: the service refuses it.
    """
    accounts = (await checked(http.get("/accounts"))).json()
    ids = {account["name"]: account["id"] for account in accounts}
    other = (await checked(http.post("/projects", json=hidden | {"name": _HIDDEN_NAME}))).json()
    for person in people.members:
        await _grant(http, project["id"], ids[person.name], person.role)
    await _grant(http, other["id"], ids[people.maintainer.name], "maintainer")


async def _grant(http: httpx.AsyncClient, project_id: str, account_id: str, role: str) -> None:
    body = {"kind": "account", "id": account_id, "role": role}
    await checked(http.put(f"/projects/{project_id}/grants", json=body))


async def new_token(address: str, person: DemoPerson, project_id: str) -> str:
    """Return a token of a person, who signs in for it, for one project.

    Raises:
        StartError: the service refuses it.
    """
    async with httpx.AsyncClient(base_url=address, timeout=60, trust_env=False) as http:
        await sign_in(http, person)
        body = {"name": "demo", "role": person.role, "projects": [project_id]}
        text: str = (await checked(http.post("/tokens", json=body))).json()["token"]
        return text


def say_who_may_what(console: Console, address: str, people: DemoPeople, project: str) -> None:
    """Print names, passwords and roles."""
    console.print(f"\n[bold]Sign in[/bold] at {address}/ui (AUTH=required)")
    console.print("  NAME  PASSWORD          ROLE        MAY")
    for person in (*reversed(people.members), people.administrator):
        console.print(
            f"  {person.name:4}  {person.password}  {person.role:10}  {person.may}", markup=False
        )
    console.print(
        f"  The first three have grants to the project {project}. {_HIDDEN_NAME} has one\n"
        f"  for {people.maintainer.name} only: to the other two it does not exist.",
        markup=False,
    )
