"""login, logout and whoami: by a browser, by a file, and by the environment."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2 as httpx

from support.browser import Browser
from support.commands import ServiceCommands
from support.guarded import SignedInPerson
from support.guarded_commands import GuardedCommands
from support.waiting import GENEROUS
from support.waiting_commands import waiting_command

TOKEN = "bmt_[0-9A-Za-z]{73}"


async def decided(person: SignedInPerson, page: str, decision: str) -> str:
    """Decide on the page, without scripts; return where the browser is sent."""
    browser = Browser(person.http)
    form = (await browser.open(page)).form("/ui/command-line")
    form.fields["decision"] = decision
    sent: dict[str, Any] = {"headers": browser.headers, **form.body()}
    answer = await person.http.post(form.action, **sent)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def visited(address: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=GENEROUS) as http:
        return await http.get(address)


async def test_a_person_signs_in_by_a_browser_and_out_again(
    guarded: GuardedCommands, tmp_path: Path
) -> None:
    kim = await guarded.service.person("kim", "editor")
    async with waiting_command(guarded.url, tmp_path, "login") as login:
        shown = await Browser(kim.http).open(login.page)
        assert login.check in shown.text
        address = await decided(kim, login.page, "confirm")
        # A guess of the state, or a page of another site, ends nothing.
        wrong = address.replace("state=", "state=x")
        assert (await visited(wrong)).status_code == 404
        back = await visited(address)
        assert back.status_code == 303
        assert back.headers["location"] == f"{guarded.url}/ui/command-line/done"
        code, out, err = await login.ended()
        assert (code, out) == (0, "")
        assert err == f"Signed in at {guarded.url} as kim (role everywhere: editor).\n"
    environment = {"XDG_CONFIG_HOME": str(tmp_path)}
    me = (await guarded.run("whoami", "--json", environment=environment)).json
    assert (me["kind"], me["name"], me["via"]) == ("program", "kim", "token")
    shown_me = await guarded.run("whoami", environment=environment)
    assert "token from       benchmark-manager login\n" in shown_me.out
    [made] = await kim.get("/tokens")
    assert (made["role"], made["projects"]) == ("admin", "all")
    await guarded.run("logout", environment=environment)
    assert await kim.get("/tokens") == []
    refused = await guarded.run("whoami", code=1, environment=environment)
    assert "(unauthenticated)\nSign in with `benchmark-manager login`" in refused.err
    again = await guarded.run("logout", code=1, environment=environment)
    assert again.err.endswith("(not_signed_in)\n")


async def test_what_is_refused_in_the_browser_makes_no_token(
    guarded: GuardedCommands, tmp_path: Path
) -> None:
    ben = await guarded.service.person("ben")
    async with waiting_command(guarded.url, tmp_path, "login") as login:
        await visited(await decided(ben, login.page, "refuse"))
        code, _, err = await login.ended()
    assert (code, err) == (1, "error: It was refused in the browser. (sign_in_denied)\n")
    assert await ben.get("/tokens") == []
    assert list(tmp_path.rglob("*.json")) == []


async def test_a_token_for_a_program_is_written_once_and_never_sent_by_the_browser(
    guarded: GuardedCommands, tmp_path: Path
) -> None:
    lee = await guarded.service.person("lee", "maintainer")
    arguments = ("tokens", "create", "nightly", "--role", "reader", "--days", "7")
    async with waiting_command(guarded.url, tmp_path, *arguments) as creating:
        address = await decided(lee, creating.page, "confirm")
        # The address has random letters too, so "bmt_" alone may be among them.
        assert not re.search(TOKEN, address)
        # The code is of no use to who does not have the verifier.
        body = {"code": parse_qs(urlsplit(address).query)["code"][0], "verifier": "x" * 43}
        refused = await guarded.service.visitor().ask("POST", "/auth/command-line", json=body)
        assert (refused.status_code, refused.json()["code"]) == (401, "sign_in_failed")
        await visited(address)
        code, out, err = await creating.ended()
    assert code == 0, err
    [made] = await lee.get("/tokens")
    assert (made["name"], made["role"]) == ("nightly", "reader")
    assert re.fullmatch(rf"{TOKEN}\n", out)
    shown = await guarded.run("whoami", token=out.strip())
    assert "BENCHMARK_MANAGER_TOKEN" in shown.out
    await guarded.run("tokens", "revoke", made["id"], token=out.strip())
    assert await lee.get("/tokens") == []


async def test_a_token_of_a_file_is_kept_and_stays_when_one_signs_out(
    guarded: GuardedCommands, tmp_path: Path
) -> None:
    token = await guarded.admin.token(name="of a file")
    environment = {"XDG_CONFIG_HOME": str(tmp_path)}
    await guarded.run("login", "--token-file", "-", stdin=f"{token}\n", environment=environment)
    rows = (await guarded.run("projects", "list", "--json", environment=environment)).json
    assert rows == await guarded.admin.get("/projects")
    await guarded.run("logout", environment=environment)
    names = [row["name"] for row in await guarded.admin.get("/tokens")]
    assert "of a file" in names


async def test_a_token_that_the_service_refuses_is_not_kept(
    guarded: GuardedCommands, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("bmt_wrong")
    refused = await guarded.run(
        "login",
        "--token-file",
        str(file),
        code=1,
        environment={"XDG_CONFIG_HOME": str(tmp_path / "config")},
    )
    assert "(unauthenticated)" in refused.err
    assert "bmt_wrong" not in refused.err
    assert not (tmp_path / "config").exists()


async def test_changes_are_recorded_with_the_token_s_account_and_no_assumed_name(
    guarded: GuardedCommands,
) -> None:
    guarded.service.service.repository("acme/named", {"config/a.yaml": b"a: 1\n"})
    token = await guarded.admin.token()
    await guarded.run("projects", "add", "named", "acme/named", token=token)
    named = {"BENCHMARK_MANAGER_ACTOR": "somebody"}
    refused = await guarded.run("sync", "named", code=1, token=token, environment=named)
    assert "act_for_others" in refused.err


async def test_a_pull_reads_the_token_of_its_file(guarded: GuardedCommands, tmp_path: Path) -> None:
    guarded.service.service.repository("acme/pulled", {"config/a.yaml": b"a: 1\n"})
    admin = guarded.admin
    body = {"name": "pulled", "github_repo_url": "acme/pulled", "polling_interval": 0}
    project = await admin.post("/projects", body)
    await admin.ask("POST", f"/projects/{project['id']}/sync", 200)
    release = await admin.post(f"/projects/{project['id']}/releases", {"name": "one"})
    file = tmp_path / "token"
    file.write_text(await admin.token("reader"))
    to = str(tmp_path / "release")
    await guarded.run("pull", release["digest"], "--to", to, "--patience", "0", code=1)
    await guarded.run("pull", release["digest"], "--to", to, "--token-file", str(file))
    assert (tmp_path / "release" / "config" / "a.yaml").read_bytes() == b"a: 1\n"
    # A folder that is right needs no service and no token.
    await guarded.run("pull", release["digest"], "--to", to, "--token-file", "/nothing")


async def test_a_service_that_answers_everybody_needs_no_sign_in(cli: ServiceCommands) -> None:
    refused = await cli("login", code=1)
    assert refused.err.endswith("so no sign-in is needed. (sign_in_not_needed)\n")
    assert "nothing: the service answers everybody" in (await cli("whoami")).out


async def test_a_role_in_one_project_only_is_shown_as_none_everywhere(
    guarded: GuardedCommands,
) -> None:
    guarded.service.service.repository("acme/granted", {"config/a.yaml": b"a: 1\n"})
    body = {"name": "granted", "github_repo_url": "acme/granted", "polling_interval": 0}
    project = await guarded.admin.post("/projects", body)
    ann = await guarded.service.person("ann", "none", grants={project["id"]: "editor"})
    shown = await guarded.run("whoami", token=await ann.token())
    assert "role everywhere  none\n" in shown.out
