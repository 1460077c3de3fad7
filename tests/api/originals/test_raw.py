"""GET …/raw: the exact bytes, whatever they and their names hold."""

import hashlib
import re
from urllib.parse import unquote

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
    *(
        'quo"te.yaml',
        "back\\slash.yaml",
        "per%cent%20.yaml",
        "semi;colon, comma.yaml",
        "größe 🚀.yaml",
        "e\u0301.yaml",
    ),
    *(
        "new\nline.yaml",
        "tab\t.yaml",
        "it's*.yaml",
        "=?utf-8?q?x?=.yaml",
        "a" * 240 + ".yaml",
        "漢" * 80 + ".yaml",
    ),
    *("..yaml", " lead.yaml", "\x7f.yaml", "\u202egpj.yaml"),
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def originals(module_service: Service) -> dict[str, tuple[str, bytes]]:
    """The address of every odd original, with its bytes."""
    files = {f"config/{name}": data for name, data in ODDITIES.items()}
    module_service.repository("acme/odd", files)
    project = await module_service.synced("acme/odd")
    rows = await module_service.files(project["id"])
    return {
        path.removeprefix("config/"): (
            f"/projects/{project['id']}/files/{row['id']}",
            ODDITIES[path[7:]],
        )
        for path, row in rows.items()
    }


async def test_an_original_s_bytes_are_git_s(
    module_service: Service, originals: dict[str, tuple[str, bytes]]
) -> None:
    assert originals.keys() == ODDITIES.keys()
    for name, (path, data) in originals.items():
        answer = await module_service.http.get(f"{path}/raw")
        assert answer.content == data, name
        assert answer.headers["content-length"] == str(len(data))
        assert answer.headers["content-type"] == "text/plain; charset=utf-8", "no browser runs it"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert (await module_service.get(path))["content"].encode() == data, name


async def test_a_variant_s_bytes_are_what_was_saved(
    service: Service, originals: dict[str, tuple[str, bytes]]
) -> None:
    for name, (path, data) in originals.items():
        original = await service.get(path)
        copy = await service.variant(original["project_id"], original, modified_name=f"copy.{name}")
        said = await service.variant(
            original["project_id"],
            original,
            modified_name=f"said.{name}",
            content=original["content"],
        )
        for variant in (copy, said):
            answer = await service.http.get(f"/modified-files/{variant['id']}/raw")
            assert answer.content == data, name
            assert variant["content_sha256"] == hashlib.sha256(data).hexdigest()
        edited = original["content"] + "\r\n# ü"
        there = f"/modified-files/{copy['id']}"
        answer = await service.http.put(
            there, json={"content": edited}, params={"allow_invalid": True}
        )
        assert answer.status_code == 200
        assert (await service.http.get(f"{there}/raw")).content == data + "\r\n# ü".encode()


async def test_the_etag_is_the_content_s(
    module_service: Service, originals: dict[str, tuple[str, bytes]]
) -> None:
    for path, data in originals.values():
        tag = (await module_service.http.get(f"{path}/raw")).headers["etag"]
        assert tag == f'"{hashlib.sha256(data).hexdigest()}"'
        answer = await module_service.http.get(f"{path}/raw", headers={"If-None-Match": tag})
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


async def test_the_file_s_name_is_given_exactly_and_in_plain_ascii(service: Service) -> None:
    """RFC 6266: `filename` for old readers, `filename*` (RFC 8187) for all others."""
    service.repository("acme/names", {f"config/{name}": name.encode() for name in NAMES})
    project = await service.synced("acme/names")
    rows = await service.files(project["id"])
    assert len(rows) == len(NAMES)
    for row in rows.values():
        answer = await service.http.get(f"/projects/{project['id']}/files/{row['id']}/raw")
        assert answer.content == row["name"].encode()
        header = answer.headers["content-disposition"]
        form = (
            r"""inline; filename="([\x20-\x7e]*)"; filename\*=UTF-8''([A-Za-z0-9!#$&+.^_`|~%-]*)"""
        )
        found = re.fullmatch(form, header)
        assert found, header
        plain, exact = found.groups()
        assert not set(plain) & set('"\\/%')
        assert unquote(exact, errors="strict") == row["name"]
        assert len(plain) == len(row["name"])


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
