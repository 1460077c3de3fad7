"""Every route of the API asked by every role: what access.md says, and nothing else.

The tables below are written from the roles in `docs/access.md`, and not from what routes declare.
Requests are valid and as cheap as possible. What matters is whether a request gets past the
question of who asks; nearly all then fail, so that the next one finds the same.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal

import pytest
import pytest_asyncio

from github_test_server import GitHubTestServer
from support.examples import ALL
from support.guarded import GuardedService, Visitor, guarded_service
from support.problems import DescribedRoute, described_routes
from support.reused_database import kind_of, reused_database
from support.service import Json

Role = Literal["none", "reader", "editor", "maintainer", "admin"]
Target = Literal["own", "foreign", "unknown"]

ROLES: Final[tuple[Role, ...]] = ("none", "reader", "editor", "maintainer", "admin")
UNKNOWN: Final = "0" * 24
DIGEST: Final = "0" * 64

#: In a project: the least role. Who has none there does not know the project.
IN_PROJECT: Final[Mapping[str, Role]] = {
    "GET": "reader",
    "POST": "editor",
    "PUT": "maintainer",
    "DELETE": "maintainer",
}
#: Where the table says something else than for most routes of the method.
OTHERWISE: Final[Mapping[str, Role]] = {
    # Settings of the project.
    "POST /projects/{project_id}/pause": "maintainer",
    "POST /projects/{project_id}/resume": "maintainer",
    # Reset, and what undoes it.
    "DELETE /projects/{project_id}/modified-files": "maintainer",
    "POST /projects/{project_id}/undo-reset": "maintainer",
    # It stores nothing.
    "POST /projects/{project_id}/sweeps/import": "reader",
    # Who may what in it.
    "GET /projects/{project_id}/grants": "maintainer",
}
#: For the whole site: the least role; else any identity will do, or none at all.
SITE_WIDE: Final[Mapping[str, Role]] = {
    "POST /projects": "maintainer",
    "GET /accounts": "admin",
    "POST /accounts": "admin",
    "PUT /accounts/{account_id}": "admin",
    "PUT /accounts/{account_id}/password": "admin",
    "DELETE /accounts/{account_id}": "admin",
    "GET /accounts/{account_id}": "admin",
    "GET /federation": "admin",
    "POST /federation": "admin",
    "GET /federation/{rule_id}": "admin",
    "PUT /federation/{rule_id}": "admin",
    "DELETE /federation/{rule_id}": "admin",
}
#: In at least one project, or for the whole site.
SOMEWHERE: Final[Mapping[str, Role]] = {
    "POST /projects/sync-all": "editor",
    "GET /metrics": "reader",
    "GET /groups": "maintainer",
    "GET /repositories/preview": "maintainer",
    "POST /repositories/preview": "maintainer",
}
DEFINITION: Final[Json] = {
    "name": "x",
    "files": {"a": "config/a.yaml"},
    "axes": [{"name": "x", "set": "a:a", "values": [1]}],
}
RULE: Final = {"name": "x", "issuer": "x", "audience": "x", "subject": "x"}
#: The least bodies, and parameters, that are valid.
BODIES: Final[Mapping[str, Json]] = {
    "POST /projects/{project_id}/modified-files": {"original_file_id": UNKNOWN},
    "POST /projects/{project_id}/undo-reset": {"reset_id": UNKNOWN},
    "PUT /projects/{project_id}/grants": {"kind": "account", "id": UNKNOWN, "role": "reader"},
    "POST /projects/{project_id}/sweeps": DEFINITION,
    "POST /projects/{project_id}/sweeps/import": {
        "format": "hydra",
        "text": "a=1,2",
        "files": {"a": "config/a.yaml"},
    },
    "PUT /sweeps/{sweep_id}": DEFINITION,
    "POST /modified-files/{modified_file_id}/restore": {"revision": 999},
    "POST /modified-files/{modified_file_id}/reattach": {"original_file_id": UNKNOWN},
    "POST /modified-files/{modified_file_id}/undelete": {"modified_name": "taken.yaml"},
    "POST /repositories/preview": {"github_repo_url": "acme/none"},
    "POST /projects": {"name": "own", "github_repo_url": "acme/none"},
    "POST /accounts": {"name": "x", "password": "short"},
    "PUT /accounts/{account_id}/password": {"new_password": "short"},
    "POST /federation": RULE,
    "PUT /federation/{rule_id}": RULE,
}
PARAMETERS: Final[Mapping[str, Mapping[str, str]]] = {
    "GET /projects/{project_id}/results/report": {"format": "brv02"},
    "DELETE /projects/{project_id}/grants": {"kind": "group", "id": "nobody"},
    "GET /projects/{project_id}/search": {"q": "x"},
    "GET /repositories/preview": {"github_repo_url": "acme/none"},
}
#: What hides whether something exists.
HIDING: Final = frozenset(
    {
        *("project_not_found", "modified_file_not_found", "release_not_found"),
        *("sweep_not_found", "receipt_not_found", "result_not_found"),
    }
)
#: What an answer must not say, unless it is expected to.
SAID: Final = frozenset({"forbidden", "unauthenticated", "invalid_request"})
#: Their streams do not end; others test them.
ENDLESS: Final = frozenset({"GET /events"})
#: They end the sessions that the others are made with.
ENDING: Final = frozenset({"DELETE /sessions", "DELETE /sessions/{session_id}"})

ROUTES: Final = tuple(
    route for route in described_routes() if route.label not in {*ENDLESS, *ENDING}
)
_OBJECTS: Final = ("/modified-files/{", "/receipts/{", "/releases/{", "/results", "/sweeps/{")
OF_PROJECTS: Final = tuple(route for route in ROUTES if "{project_id}" in route.path)
OF_OBJECTS: Final = tuple(route for route in ROUTES if route.path.startswith(_OBJECTS))
IN_PROJECTS: Final = (*OF_OBJECTS, *OF_PROJECTS)
OF_THE_SITE: Final = tuple(route for route in ROUTES if route.label in {*SITE_WIDE, *SOMEWHERE})


@dataclass(frozen=True)
class Ids:
    """A project, and what is in it."""

    project: str = UNKNOWN
    variant: str = UNKNOWN
    trashed: str = UNKNOWN
    digest: str = DIGEST
    sweep: str = UNKNOWN
    receipt: str = UNKNOWN
    result: str = UNKNOWN
    trashed_result: str = UNKNOWN


@dataclass(frozen=True)
class Cast:
    """A person of each role in one project, and of each site-wide role."""

    guarded: GuardedService
    targets: Mapping[Target, Ids]
    #: By the role in the project `own`; none has a site-wide role.
    members: Mapping[Role, Visitor]
    #: By the site-wide role.
    people: Mapping[Role, Visitor]
    #: One cell of so many is asked: all of them with one database suffices, as what decides lies
    #: above the stores.
    step: int

    def cells(
        self, routes: Iterable[DescribedRoute], *targets: Target, roles: Iterable[Role] = ROLES
    ) -> list[tuple[DescribedRoute, Role, Target]]:
        """Return each route with each role and target; with `make properties`, with all roles."""
        return list(product(routes, ROLES if ALL else roles, targets))[:: self.step]


async def make_project(guarded: GuardedService, name: str) -> Ids:
    """Make a project with what routes name; one variant and one result are in the trash."""
    admin = guarded.admin
    guarded.service.repository(f"acme/{name}", {"config/a.yaml": f"a: {name}\n".encode()})
    body = {"name": name, "github_repo_url": f"acme/{name}", "polling_interval": 0}
    project = (await admin.post("/projects", body))["id"]
    await admin.ask("POST", f"/projects/{project}/sync", 200)
    [file] = await admin.get(f"/projects/{project}/files")
    variants = [
        await admin.post(
            f"/projects/{project}/modified-files",
            {"original_file_id": file["id"], "modified_name": variant_name},
        )
        for variant_name in ("taken.yaml", "trashed.yaml")
    ]
    await admin.ask("DELETE", f"/modified-files/{variants[1]['id']}", 204)
    release = await admin.post(f"/projects/{project}/releases", {})
    sweep = await admin.post(f"/projects/{project}/sweeps", DEFINITION)
    receipt = await admin.post(f"/releases/{release['digest']}/receipts", {})
    results = [
        await admin.post(f"/results?release={release['digest']}", {"trashed": trashed})
        for trashed in (False, True)
    ]
    await admin.ask("DELETE", f"/results/{results[1]['id']}", 204)
    return Ids(
        project=project,
        variant=variants[0]["id"],
        trashed=variants[1]["id"],
        digest=release["digest"],
        sweep=sweep["id"],
        receipt=receipt["id"],
        result=results[0]["id"],
        trashed_result=results[1]["id"],
    )


async def make_cast(guarded: GuardedService, step: int) -> Cast:
    """Make the projects and the people."""
    own, foreign = [await make_project(guarded, name) for name in ("own", "foreign")]
    members: dict[Role, Visitor] = {}
    people: dict[Role, Visitor] = {}
    for role in ROLES:
        grants = {} if role == "none" else {own.project: role}
        members[role] = await guarded.person(f"member {role}", "none", grants=grants)
        people[role] = await guarded.person(f"person {role}", role)
    targets: dict[Target, Ids] = {"own": own, "foreign": foreign, "unknown": Ids()}
    return Cast(guarded, targets, members, people, step)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cast(either_server: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cast]:
    """One service for all tables, on each kind of database."""
    folder = tmp_path_factory.mktemp("matrix")
    with GitHubTestServer() as github:
        async with (
            reused_database(either_server) as url,
            guarded_service(url, github, folder, rate_limit=100_000) as guarded,
        ):
            yield await make_cast(guarded, 1 if ALL or kind_of(url) == "mongodb" else 13)


def addressed(route: DescribedRoute, ids: Ids) -> str:
    """Return the route's path to something, with ids of nothing where it has none of it."""
    is_undelete = route.path.endswith("/undelete")
    known = {
        "{project_id}": ids.project,
        "{modified_file_id}": ids.trashed if is_undelete else ids.variant,
        "{digest}": ids.digest,
        "{other}": ids.digest,
        "{sweep_id}": ids.sweep,
        "{receipt_id}": ids.receipt,
        "{result_id}": ids.trashed_result if is_undelete else ids.result,
        "{index}": "0",
        "{number}": "1",
        "{path}": "config/a.yaml",
    }
    parts = [known.get(part, UNKNOWN) if "{" in part else part for part in route.path.split("/")]
    return "/".join(parts)


async def verdict(visitor: Visitor, route: DescribedRoute, ids: Ids) -> str:
    """Return whether the request got past the question of who asks."""
    is_upload = route.label == "POST /results"
    answer = await visitor.ask(
        route.method.upper(),
        addressed(route, ids),
        json=BODIES.get(route.label, {}) if route.takes_body else None,
        # What it changes or deletes is not at this revision.
        headers={"If-Match": '"999999.x"'},
        params=PARAMETERS.get(route.label, {"release": ids.digest} if is_upload else None),
    )
    if answer.status_code < 400:
        if route.label == "POST /results/{result_id}/undelete":
            # The next one asks for the same.
            await visitor.ask("DELETE", f"/results/{ids.trashed_result}", 204)
        return "allowed"
    code: str = answer.json()["code"]
    if code in HIDING:
        return "hidden"
    return code if answer.status_code >= 500 or code in SAID else "allowed"


def includes(role: Role, needed: Role) -> bool:
    return ROLES.index(role) >= ROLES.index(needed)


def needed_for(route: DescribedRoute) -> Role:
    """Return the least role in the project."""
    method = route.method.upper()
    if route in OF_OBJECTS:
        return "reader" if method == "GET" else "editor"
    return OTHERWISE.get(route.label, IN_PROJECT[method])


def expected_in_project(route: DescribedRoute, role: Role, target: Target) -> str:
    """What access.md says to a member of `own` without any site-wide role."""
    if target != "own" or role == "none":
        return "hidden"
    needed = needed_for(route)
    return "allowed" if includes(role, needed) else "forbidden"


def expected_with_site_role(route: DescribedRoute, role: Role, target: Target) -> str:
    """What access.md says to somebody whose role holds in every project."""
    if role == "none":
        return "hidden"
    needed = needed_for(route)
    if not includes(role, needed):
        # Of a project in the path, the role is known before the project.
        return "hidden" if target == "unknown" and route in OF_OBJECTS else "forbidden"
    return "hidden" if target == "unknown" else "allowed"


async def test_roles_in_a_project_allow_what_the_table_says(cast: Cast) -> None:
    found, expected = {}, {}
    # Elsewhere a role is none, of which the least and the greatest are examples. To who has none,
    # the project `own` is as any other.
    foreign = cast.cells(IN_PROJECTS, "foreign", roles=("admin",))
    unknown = cast.cells(IN_PROJECTS, "unknown", roles=("none", "admin"))
    for route, role, target in (*cast.cells(IN_PROJECTS, "own"), *foreign, *unknown):
        key = f"{route.label} as {role} in {target}"
        found[key] = await verdict(cast.members[role], route, cast.targets[target])
        expected[key] = expected_in_project(route, role, target)
    assert {k: v for k, v in found.items() if v != expected[k]} == {}


async def test_site_wide_roles_allow_the_same_in_every_project(cast: Cast) -> None:
    found, expected = {}, {}
    unknown = cast.cells(IN_PROJECTS, "unknown", roles=("none", "reader", "admin"))
    for route, role, target in (*cast.cells(IN_PROJECTS, "foreign"), *unknown):
        key = f"{route.label} as {role} in {target}"
        found[key] = await verdict(cast.people[role], route, cast.targets[target])
        expected[key] = expected_with_site_role(route, role, target)
    assert {k: v for k, v in found.items() if v != expected[k]} == {}


async def test_site_wide_roles_allow_what_the_table_says(cast: Cast) -> None:
    found, expected = {}, {}
    for route, role, _ in cast.cells(OF_THE_SITE, "unknown"):
        needed = SITE_WIDE.get(route.label) or SOMEWHERE[route.label]
        key = f"{route.label} as {role}"
        found[key] = await verdict(cast.people[role], route, Ids())
        expected[key] = "allowed" if includes(role, needed) else "forbidden"
    assert {k: v for k, v in found.items() if v != expected[k]} == {}


async def test_a_role_in_one_project_is_none_for_the_site(cast: Cast) -> None:
    found = {
        f"{route.label} as {role}": await verdict(cast.members[role], route, Ids())
        for route, role, _ in cast.cells(OF_THE_SITE, "unknown")
        if route.label in SITE_WIDE
    }
    assert set(found.values()) == {"forbidden"}


async def test_without_an_identity_nothing_of_a_project_is_known(cast: Cast) -> None:
    visitor = cast.guarded.visitor()
    found = {
        f"{route.label} in {target}": await verdict(visitor, route, cast.targets[target])
        for route, _, target in cast.cells(IN_PROJECTS, "own", "unknown", roles=("none",))
    }
    assert set(found.values()) == {"unauthenticated"}
