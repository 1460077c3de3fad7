"""The demo with accounts: what it prints lets people sign in, each with the role that it names."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx

from benchmark_manager.demo.people import new_people
from benchmark_manager.stores.embedded.ports import free_port
from support.process import start
from support.waiting import GENEROUS

PERSON = re.compile(r"^  (\w+) +(\w{16}) +(reader|editor|maintainer|admin) ", re.MULTILINE)


@contextmanager
def running_demo(folder: Path, url: str) -> Iterator[str]:
    """What the demo prints until it waits for the change; Ctrl-C ends it with exit code 0."""
    port = url.rpartition(":")[2]
    reader, writer = os.pipe()
    with os.fdopen(reader) as output, Path(os.devnull).open("rb") as nothing:
        process = start(
            folder,
            *("demo", "--accounts", "--no-measure", "--port", port, "--change-after", "600"),
            streams=(nothing.fileno(), writer, writer),
            auth="open",
            public_url="http://x.y",
        )
        os.close(writer)
        lines: list[str] = []
        try:
            for line in output:
                lines.append(line)
                if "--to cell" in line:
                    break
            yield "".join(lines)
        finally:
            process.send_signal(signal.SIGINT)
            lines += output
            code = process.wait(60)
        assert code == 0, "".join(lines)


@contextmanager
def browser(url: str, name: str, password: str) -> Iterator[httpx.Client]:
    """A browser in which a person has signed in."""
    with httpx.Client(base_url=url, headers={"Origin": url}, timeout=60, trust_env=False) as http:
        body = {"name": name, "password": password}
        assert http.post("/sessions", json=body).status_code == 201
        yield http


def number_of_projects(http: httpx.Client) -> int:
    return len(http.get("/projects").json())


def test_the_people_of_the_demo_sign_in_and_have_the_roles_that_it_prints(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with running_demo(tmp_path, url) as output:
        people = {role: (name, password) for name, password, role in PERSON.findall(output)}
        assert list(people) == ["reader", "editor", "maintainer", "admin"], output
        # Without this variable the guides' commands ask another port.
        assert f"\n  export BENCHMARK_MANAGER_URL={url}\n" in output
        seen, synced = {}, {}
        for role, (name, password) in people.items():
            with browser(url, name, password) as http:
                seen[role] = number_of_projects(http)
                [project] = http.get("/projects", params={"q": "sample"}).json()
                synced[role] = http.post(f"/projects/{project['id']}/sync").status_code
        assert seen == {"reader": 1, "editor": 1, "maintainer": 2, "admin": 2}
        assert synced == {"reader": 403, "editor": 200, "maintainer": 200, "admin": 200}
        token = re.findall(r"^  TOKEN=(bmt_\w+)$", output, re.MULTILINE)[0]
        program = {"Authorization": f"Bearer {token}"}
        assert (
            httpx.get(f"{url}/me", headers=program, trust_env=False, timeout=GENEROUS).json()[
                "name"
            ]
            == "evan"
        )
        cells = re.findall(r"\S+/sweeps/\w+/cells$", output, re.MULTILINE)[0]
        assert len(httpx.get(cells, headers=program, trust_env=False, timeout=GENEROUS).json()) == 6
        assert httpx.get(f"{url}/projects", trust_env=False, timeout=GENEROUS).status_code == 401


def test_passwords_are_made_anew_and_are_in_no_representation() -> None:
    one, other = new_people(), new_people()
    passwords = {
        person.password
        for people in (one, other)
        for person in (people.administrator, *people.members)
    }
    assert len(passwords) == 8
    assert not [password for password in passwords if password in repr((one, other))]
