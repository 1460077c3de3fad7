"""Projects, people and credentials for fuzzed requests, with words that only some may read."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from benchmark_manager.domain.access.api_tokens import SECRET_BYTES, new_api_token
from github_test_server import Entry
from support.guarded import ORIGIN, PASSWORD, GuardedService, Visitor
from support.waiting import eventually

CallerName = Literal["anonymous", "reader", "editor", "maintainer", "admin"]
CALLERS: Final[tuple[CallerName, ...]] = ("anonymous", "reader", "editor", "maintainer", "admin")
Owner = Literal["own", "foreign"]

#: In everything of the project that only administrators may read.
FOREIGN: Final = "zebrafinchquill"
#: In everything of the project that all callers with an identity may read.
OWN: Final = "marmotbriar"
#: In what only maintainers may read: names of groups and of people.
PEOPLE: Final = "mandrakeloft"
#: In what only administrators may read: rules of federation.
SITE: Final = "cormorantsill"
#: In the tokens of GitHub, which no answer has.
GITHUB_TOKEN: Final = "ghp_kestrelmoss"
WEBHOOK_SECRET: Final = "ibisfen-ibisfen-ibisfen"
REPOSITORIES: Final[Mapping[Owner, str]] = {"own": f"acme/{OWN}", "foreign": f"acme/{FOREIGN}"}
WORDS: Final[Mapping[Owner, str]] = {"own": OWN, "foreign": FOREIGN}

_RULE: Final = {
    "name": SITE,
    "issuer": f"https://{SITE}.example.com",
    "audience": SITE,
    "subject": f"repo:{SITE}/x",
}


@dataclass(frozen=True, slots=True)
class Sight:
    """What a credential may read."""

    role: CallerName = "anonymous"
    is_site_wide: bool = False

    @property
    def hidden(self) -> tuple[str, ...]:
        """Return the words that no answer to it may have."""
        return (
            GITHUB_TOKEN,
            WEBHOOK_SECRET,
            PASSWORD,
            "argon2id",
            *(() if self.is_site_wide else (FOREIGN, SITE)),
            *(() if self.role != "anonymous" else (OWN,)),
            *(() if self.role in {"maintainer", "admin"} else (PEOPLE,)),
        )


@dataclass(frozen=True, slots=True)
class FuzzCredential:
    """What a request carries, and what it may read by that."""

    label: str
    headers: tuple[tuple[bytes, bytes], ...]
    sight: Sight = Sight()


@dataclass
class FuzzCaller:
    """One of the five who ask, with all of their credentials."""

    name: CallerName
    account: str = ""
    credentials: list[FuzzCredential] = field(default_factory=list)


@dataclass
class FuzzWorld:
    """What is there, by kind of object and by who may read it."""

    guarded: GuardedService
    chance: random.Random
    keeper: Visitor
    callers: dict[CallerName, FuzzCaller] = field(default_factory=dict)
    #: Ids by kind of object.
    ids: dict[Owner, dict[str, list[str]]] = field(default_factory=dict)
    #: Tokens, cookies and the like, which no answer has.
    secrets: set[bytes] = field(default_factory=set)
    _people: dict[CallerName, str] = field(default_factory=dict)
    _signed_in: int = 0

    async def sign_in(self, name: str) -> Visitor:
        """Sign a person in, at an address of their own, as few may sign in a minute from one."""
        self._signed_in += 1
        high, low = divmod(self._signed_in, 250)
        visitor = self.guarded.visitor(address=f"10.1.{high}.{low}")
        await visitor.sign_in(name)
        self.secrets.add(visitor.cookie.encode())
        return visitor

    async def renew(self) -> None:
        """Make both projects, the other objects and all credentials anew."""
        await self._clear()
        # What was revoked proves nothing any more.
        self.secrets.clear()
        for owner in ("foreign", "own"):
            await self.make_project(owner)
        await self._make_others()
        await self.renew_credentials()

    async def _clear(self) -> None:
        """Delete what the callers made."""
        for row in await self.keeper.get("/projects", limit=1000):
            await self.keeper.ask("DELETE", f"/projects/{row['id']}", 204)
        await self.guarded.service.services.housekeeping.sweep_deleted_projects()
        kept = {*self._people.values(), self.guarded.admin.id}
        for row in await self.keeper.get("/accounts", limit=1000):
            if row["id"] not in kept:
                await self.keeper.ask("DELETE", f"/accounts/{row['id']}", 204)
        for row in await self.keeper.get("/federation", limit=1000):
            await self.keeper.ask("DELETE", f"/federation/{row['id']}", 204)
        for row in await self.keeper.get("/tokens", limit=1000, all=True):
            if row["account"] != self.guarded.admin.id:
                await self.keeper.ask("DELETE", f"/tokens/{row['id']}", 204)

    async def make_project(self, owner: Owner) -> None:
        """Make a project with files, variants, releases and a role of a group."""
        word = WORDS[owner]
        body = {
            "name": f"{word} {owner}",
            "github_repo_url": REPOSITORIES[owner],
            "github_token": GITHUB_TOKEN,
            "polling_interval": 0,
        }
        project: str = (await self.keeper.post("/projects", body))["id"]
        sync = await self.keeper.ask("POST", f"/projects/{project}/sync", 200)
        files = await self.keeper.get(f"/projects/{project}/files")
        variants = [await self._variant(project, file["id"], word) for file in files]
        trashed = await self._variant(project, files[0]["id"], f"{word}-trashed")
        await self.keeper.ask("DELETE", f"/modified-files/{trashed}", 204)
        releases = [
            # A pinned one of a project before, with the same files, is still there.
            (await self.keeper.ask("POST", f"/projects/{project}/releases", json=body)).json()[
                "digest"
            ]
            for body in (
                {"name": word, "description": word, "include": "all"},
                {"name": word, "include": "originals"},
            )
        ]
        sweep, cells = await self._sweep(project, word)
        results = [await self._result(project, releases[0], f"{word} {n}") for n in range(2)]
        await self.keeper.ask("DELETE", f"/results/{results[1]}", 204)
        group = {"kind": "group", "id": f"{PEOPLE} {owner}", "role": "reader"}
        await self.keeper.ask("PUT", f"/projects/{project}/grants", 200, json=group)
        for name, account in self._people.items():
            if owner == "own" and name != "admin":
                grant = {"kind": "account", "id": account, "role": name}
                await self.keeper.ask("PUT", f"/projects/{project}/grants", 200, json=grant)
        self.ids[owner] = {
            **self.ids.get(owner, {}),
            "project": [project],
            "file": [file["id"] for file in files],
            "variant": [*variants, trashed],
            "digest": [*releases, *cells],
            "sweep": [sweep],
            "result": results,
            "sync": [sync.json()["id"]],
        }

    async def _variant(self, project: str, file: str, word: str) -> str:
        body = {
            "original_file_id": file,
            "modified_name": f"{word}-{file[-6:]}.yaml",
            "description": word,
            "content": f"model: {word}\nsize: 2\n",
        }
        path = f"/projects/{project}/modified-files"
        return str((await self.keeper.post(path, body))["id"])

    async def _result(self, project: str, digest: str, word: str) -> str:
        labels = json.dumps({"name": word})
        params = {"release": digest, "project_id": project, "note": word, "labels": labels}
        body = {"metrics": {word: 1}}
        answer = await self.keeper.ask("POST", "/results", json=body, params=params)
        return str(answer.json()["id"])

    async def _sweep(self, project: str, word: str) -> tuple[str, list[str]]:
        """Make a sweep, and return its id and the digests of its cells."""
        body = {
            "name": word,
            "description": word,
            "files": {"engine": "config/a.yaml"},
            "axes": [{"name": word, "set": "engine:size", "values": [1, 2]}],
        }
        sweep = await self.keeper.post(f"/projects/{project}/sweeps", body)
        cells = await self.keeper.get(f"/sweeps/{sweep['id']}/cells")
        return sweep["id"], [cell["digest"] for cell in cells]

    async def _make_others(self) -> None:
        for owner in ("own", "foreign"):
            name = f"{PEOPLE} {owner}"
            account = (await self.guarded.account(name, "none"))["id"]
            person = await self.sign_in(name)
            token = await person.post("/tokens", {"name": SITE})
            self.secrets.add(token["token"].encode())
            [session] = await person.get("/sessions")
            rule = await self.keeper.post(
                "/federation", {**_RULE, "subject": f"repo:{SITE}/{owner}"}
            )
            self.ids[owner] |= {
                "account": [account],
                "token": [token["id"]],
                "session": [session["id"]],
                "rule": [rule["id"]],
            }

    async def renew_caller(self, name: CallerName) -> None:
        """Give a caller a new session and new tokens."""
        account = self._people[name]
        person = await self.sign_in(f"{name} caller")
        wide = await person.post("/tokens", {"name": "wide", "role": "admin"})
        bound = {"name": "bound", "role": "reader", "projects": self.ids["own"]["project"]}
        narrow = await person.post("/tokens", bound)
        own = Sight(name, is_site_wide=name == "admin")
        cookie = f"bm_session={person.cookie}".encode()
        caller = self.callers.setdefault(name, FuzzCaller(name, account))
        caller.credentials = [
            FuzzCredential("session", ((b"cookie", cookie), (b"origin", ORIGIN.encode())), own),
            FuzzCredential("token", (_bearer(wide["token"]),), own),
            FuzzCredential("token of a project", (_bearer(narrow["token"]),), Sight("reader")),
        ]
        self.secrets |= {made["token"].encode() for made in (wide, narrow)}
        if name == "reader":
            self._renew_anonymous()

    def _renew_anonymous(self) -> None:
        known = self.callers["reader"].credentials[1].headers[0][1]
        broken = (
            ("nothing", ()),
            ("unknown token", (_bearer("bmt_" + "0" * 24 + "a" * 49),)),
            (
                "another secret",
                (_bearer(new_api_token(known[11:35].decode(), b"s" * SECRET_BYTES)),),
            ),
            ("changed token", ((b"authorization", known[:-3] + b"000"),)),
            ("cut token", ((b"authorization", known[:40]),)),
            ("another scheme", ((b"authorization", b"Basic YWRhOmFkYQ=="),)),
            ("unsigned token", (_bearer("eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0."),)),
            ("odd token", ((b"authorization", b"Bearer \xff\x00\xe9"),)),
            (
                "ended session",
                ((b"cookie", b"bm_session=" + b"A" * 43), (b"origin", ORIGIN.encode())),
            ),
            ("forged user", ((b"x-forwarded-user", b"ada"), (b"x-forwarded-groups", b"admins"))),
        )
        self.callers["anonymous"] = FuzzCaller(
            "anonymous", "", [FuzzCredential(label, headers) for label, headers in broken]
        )

    async def make_people(self) -> None:
        """Make the accounts of the callers."""
        for name in CALLERS[1:]:
            role = "admin" if name == "admin" else "none"
            self._people[name] = (await self.guarded.account(f"{name} caller", role))["id"]

    async def lost(self) -> list[Owner]:
        """Return which of the projects a caller has deleted."""
        answers: dict[Owner, int] = {
            owner: (await self.keeper.ask("GET", f"/projects/{ids['project'][0]}")).status_code
            for owner, ids in self.ids.items()
        }
        return [owner for owner, status in answers.items() if status == 404]

    async def renew_credentials(self) -> None:
        """Give all callers new sessions and tokens."""
        for name in CALLERS[1:]:
            await self.renew_caller(name)

    async def rest(self) -> None:
        """Wait for what requests have begun and left running."""
        services = self.guarded.service.services
        await eventually(lambda: not services.sync.running, "syncs do not end")
        await services.access.uses.finish()

    def an_id(self, kind: str, chance: random.Random, own: float) -> str:
        """Return an id of that kind: of the own project, of the other one, or of nothing."""
        roll = chance.random()
        if roll < 0.85:
            known = self.ids["own" if roll < own else "foreign"].get(kind, [])
            if known:
                return chance.choice(known)
        return unknown_id(kind, str(chance.random()))


def unknown_id(kind: str, salt: str) -> str:
    """Return an id of nothing, in the form of that kind."""
    number = random.Random(f"{kind} {salt}").getrandbits(256)  # noqa: S311 -- no secret
    return f"{number:064x}" if kind == "digest" else f"{number:064x}"[:24]


def _bearer(token: str) -> tuple[bytes, bytes]:
    return b"authorization", f"Bearer {token}".encode()


async def make_world(guarded: GuardedService, seed: str) -> FuzzWorld:
    """Make the repositories and people of a world, and all that is in it."""
    github = guarded.service.github
    github.hosting.add_token(GITHUB_TOKEN)
    github.limits.set(GITHUB_TOKEN, limit=10**6, remaining=10**6)
    github.limits.set(GITHUB_TOKEN, limit=10**6, remaining=10**6, resource="graphql")
    github.limits.set(None, limit=10**6, remaining=10**6)
    for owner, name in REPOSITORIES.items():
        word = WORDS[owner]
        content = f"model: {word}\nsize: 1\n".encode()
        files: dict[str, bytes | Entry] = {
            "config/a.yaml": content,
            f"config/{word}.yaml": content + b"b: 1\n",
        }
        guarded.service.repository(name, files, private_to=[GITHUB_TOKEN])
    guarded.service.repository("acme/plain", {"config/a.yaml": b"a: 1\n"})
    keeper = guarded.program(await guarded.admin.token("admin"))
    world = FuzzWorld(guarded, random.Random(seed), keeper)  # noqa: S311 -- no secret
    await world.make_people()
    await world.renew()
    return world
