"""GET …/raw: the exact bytes, whatever they and their names hold."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

import pytest
import pytest_asyncio

from support.service import Service

ODDITIES = {
    "bom.yaml": b"\xef\xbb\xbfa: 1\n",
    "crlf.yaml": b"a: 1\r\nb: 2\r\n",
    "cr.yaml": b"a: 1\rb: 2\r",
    "no final newline.yaml": b"a: 1",
    "tabs.yaml": b"a:\t1\n\tb: 2\n",
    "separators.yaml": "a: '\u2028\u2029\x85\u00a0'\n".encode(),
    "trailing.yaml": b"a: 1   \n\n\n\n",
    "empty.yaml": b"",
    "newlines.yaml": b"\n\n",
    "controls.yaml": b"a: \x01\x1b[31m\x7f\n",
    "astral.json": '{"a": "🚀 é e\u0301"}'.encode(),
    "escapes.json": b'{"a": "\\ud800 \\u0000"}',
    "html.yaml": b"a: <script>alert(1)</script>\n",
    "mixed.yaml": b"a: 1\r\nb: 2\nc: 3\r",
}
NAMES = (
    'quo"te.yaml',
    "back\\slash.yaml",
    "per%cent%20.yaml",
    "semi;colon, comma.yaml",
    "größe 🚀.yaml",
    "e\u0301.yaml",
    "new\nline.yaml",
    "tab\t.yaml",
    "it's*.yaml",
    "=?utf-8?q?x?=.yaml",
    "a" * 240 + ".yaml",
    "漢" * 80 + ".yaml",
    "..yaml",
    " lead.yaml",
    "\x7f.yaml",
    "\u202egpj.yaml",
)


@dataclass(frozen=True)
class Addresses:
    """Where originals are, by their names."""

    project_id: str
    by_name: dict[str, str]


async def synced(service: Service, full_name: str, contents: Mapping[str, bytes]) -> Addresses:
    service.repository(full_name, {f"config/{name}": data for name, data in contents.items()})
    project_id = (await service.synced(full_name))["id"]
    rows = await service.files(project_id)
    assert rows.keys() == {f"config/{name}" for name in contents}
    by_name = {row["name"]: f"/projects/{project_id}/files/{row['id']}" for row in rows.values()}
    return Addresses(project_id, by_name)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def odd(module_service: Service) -> Addresses:
    """Originals with odd contents."""
    return await synced(module_service, "acme/odd", ODDITIES)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def named(module_service: Service) -> Addresses:
    """Originals with odd names, which are their contents too."""
    return await synced(module_service, "acme/names", {name: name.encode() for name in NAMES})


@pytest.mark.parametrize("name", ODDITIES)
async def test_an_original_s_bytes_are_git_s(
    module_service: Service, odd: Addresses, name: str
) -> None:
    path, data = odd.by_name[name], ODDITIES[name]
    answer = await module_service.http.get(f"{path}/raw")
    assert answer.content == data
    assert answer.headers["content-length"] == str(len(data))
    assert answer.headers["content-type"] == "text/plain; charset=utf-8", "no browser runs it"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await module_service.get(path))["content"].encode() == data


@pytest.mark.parametrize("name", ODDITIES)
async def test_a_variant_s_bytes_are_what_was_saved(
    module_service: Service, odd: Addresses, name: str
) -> None:
    service, data = module_service, ODDITIES[name]
    original = await service.get(odd.by_name[name])
    copy = await service.variant(odd.project_id, original, modified_name=f"copy.{name}")
    given = await service.variant(
        odd.project_id, original, modified_name=f"given.{name}", content=data.decode()
    )
    paths = [f"/modified-files/{variant['id']}" for variant in (copy, given)]
    assert [(await service.http.get(f"{path}/raw")).content for path in paths] == [data, data]
    sha256s = [variant["content_sha256"] for variant in (copy, given)]
    assert sha256s == [hashlib.sha256(data).hexdigest()] * 2
    edited = data.decode() + "\r\n# ü"
    answer = await service.http.put(
        paths[0], json={"content": edited}, params={"allow_invalid": True}
    )
    assert answer.status_code == 200
    assert (await service.http.get(f"{paths[0]}/raw")).content == data + "\r\n# ü".encode()


@pytest.mark.parametrize("name", ODDITIES)
async def test_the_etag_is_the_content_s(
    module_service: Service, odd: Addresses, name: str
) -> None:
    path = f"{odd.by_name[name]}/raw"
    tag = (await module_service.http.get(path)).headers["etag"]
    assert tag == f'"{hashlib.sha256(ODDITIES[name]).hexdigest()}"'
    answer = await module_service.http.get(path, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.content) == (304, b"")


async def test_a_changed_original_has_another_etag(service: Service) -> None:
    repository = service.repository("acme/bench", {"config/a.yaml": b"a: 1\n"})
    project = await service.synced("acme/bench")
    file = (await service.files(project["id"]))["config/a.yaml"]
    path = f"/projects/{project['id']}/files/{file['id']}/raw"
    tag = (await service.http.get(path)).headers["etag"]
    repository.commit({"config/a.yaml": b"a: 1"})
    await service.sync(project["id"])
    answer = await service.http.get(path, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.content) == (200, b"a: 1")


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[1:-1][:30])
async def test_the_file_s_name_is_given_exactly_and_in_plain_ascii(
    module_service: Service, named: Addresses, name: str
) -> None:
    """RFC 6266: `filename` for old readers, `filename*` (RFC 8187) for all others."""
    answer = await module_service.http.get(f"{named.by_name[name]}/raw")
    assert answer.content == name.encode()
    header = answer.headers["content-disposition"]
    form = r"""inline; filename="([\x20-\x7e]*)"; filename\*=UTF-8''([A-Za-z0-9!#$&+.^_`|~%-]*)"""
    found = re.fullmatch(form, header)
    assert found, header
    plain, exact = found.groups()
    assert not set(plain) & set('"\\/%')
    assert unquote(exact, errors="strict") == name
    assert len(plain) == len(name)


async def test_a_variant_is_named_by_its_own_name(service: Service) -> None:
    service.repository("acme/bench", {"config/a.yaml": b"a: 1\n"})
    project = await service.synced("acme/bench")
    original = (await service.files(project["id"]))["config/a.yaml"]
    variant = await service.variant(project["id"], original, modified_name='größe "8".yaml')
    answer = await service.http.get(f"/modified-files/{variant['id']}/raw")
    expected = (
        "inline; filename=\"gr__e _8_.yaml\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%20%228%22.yaml"
    )
    assert answer.headers["content-disposition"] == expected
