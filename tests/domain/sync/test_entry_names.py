"""Names that are not UTF-8, as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.sync.entry_names import UNKNOWN, is_utf8, readable_names

NAMES = st.lists(
    st.sampled_from([b"\xe9", b"\\", b"xe9", b"\\xe9", b"a", "é".encode(), "\ufffd".encode()]),
    max_size=5,
)


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("config/caf\udce9.yaml", r"config/caf\xe9.yaml"),
        ("d\udcff\udc80/é.yaml", r"d\xff\x80/é.yaml"),
        (r"\xe9" + "\udce9.yaml", r"\x5cxe9\xe9.yaml"),
        (f"caf{UNKNOWN}.yaml", r"caf\x??.yaml"),
    ],
)
def test_bytes_that_are_not_utf8_are_written_as_hex(path: str, written: str) -> None:
    assert readable_names([path], ()) == {path: written}


def test_a_name_that_another_file_really_has_gets_a_number() -> None:
    taken = {r"caf\xe9.yaml", r"caf\xe9.yaml (2)"}
    assert readable_names(["caf\udce9.yaml"], taken) == {"caf\udce9.yaml": r"caf\xe9.yaml (3)"}


@given(st.lists(NAMES.map(b"".join), max_size=8, unique=True))
def test_no_two_names_become_one(names: list[bytes]) -> None:
    paths = [name.decode("utf-8", "surrogateescape") for name in names]
    good = {path for path in paths if is_utf8(path)}
    written = readable_names([path for path in paths if path not in good], good)
    assert len(good | set(written.values())) == len(paths)
    assert all(map(is_utf8, written.values()))
