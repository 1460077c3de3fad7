"""Archives are the same everywhere, and every reader gets the very names and bytes back."""

import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.releases.archive import archive_length, check_archivable, new_archive
from benchmark_manager.domain.releases.zip import Zip
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.release import ArchiveFormat

FORMATS: tuple[ArchiveFormat, ...] = ("tar.gz", "zip")
FILES = {
    "Z.yaml": b"",
    "a b.yaml": b"a: 1\n",
    "back\\slash.yaml": b"x" * 511,
    "config/" + "long/" * 60 + "name.yaml": b"x" * 512,
    "config/" + "é" * 100 + ".yaml": b"x" * 513,
    "config/größe 🚀.yaml": "ü".encode(),
    "e\u0301.yaml": b"\xef\xbb\xbfa: 1\r\n",
    "new\nline.yaml": b"1",
    "x" * 100: b"2",
    "x" * 101: b"3",
    "zeros.json": bytes(200_000),
}
SEGMENT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0/\\"), min_size=1, max_size=60
).filter(lambda text: text not in {".", ".."})
PATHS = st.lists(SEGMENT, min_size=1, max_size=5).map("/".join)


def packed(archive_format: ArchiveFormat, files: dict[str, bytes]) -> bytes:
    archive = new_archive(archive_format)
    return b"".join([*(archive.add(path, data) for path, data in files.items()), archive.end()])


def unpacked_tar(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        return {
            member.name: tar.extractfile(member).read()  # type: ignore[union-attr]
            for member in tar
        }


def unpacked_zip(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {info.filename: archive.read(info) for info in archive.infolist()}


@given(st.dictionaries(PATHS, st.binary(max_size=2000), max_size=20))
def test_what_was_packed_is_unpacked(files: dict[str, bytes]) -> None:
    assert unpacked_tar(packed("tar.gz", files)) == files
    assert unpacked_zip(packed("zip", files)) == files


@given(st.dictionaries(PATHS, st.binary(max_size=200), max_size=20), st.sampled_from(FORMATS))
def test_the_length_is_known_beforehand(
    files: dict[str, bytes], archive_format: ArchiveFormat
) -> None:
    length = archive_length(archive_format, ((path, len(data)) for path, data in files.items()))
    assert length == len(packed(archive_format, files))


@pytest.mark.parametrize(
    "size", [65_535 - 1536, 65_536 - 1536, 65_534 - 1536, 2 * 65_535 - 1536, 0, 300_000]
)
def test_the_length_is_right_where_blocks_end(size: int) -> None:
    files = {"a": bytes(size)}
    data = packed("tar.gz", files)
    assert archive_length("tar.gz", [("a", size)]) == len(data)
    assert unpacked_tar(data) == files


def test_the_bytes_never_change() -> None:
    """The checksum of an archive must be the same after years, so these digests never change."""
    digests = [
        hashlib.sha256(packed(archive_format, FILES)).hexdigest() for archive_format in FORMATS
    ]
    assert digests == [TAR_GZ, ZIP]


TAR_GZ = "717755d2f712b563993f1d986d10630601dffbfb642f071c98183d188c05a86b"
ZIP = "8213d41b25cbc61ed1b8789c270115aa4db5f25c69939f90ab3d98aab1c7ef4e"


def test_another_process_packs_the_same_bytes(tmp_path: Path) -> None:
    """With another seed for hashes, in another time zone and folder."""
    code = (
        "import runpy, sys; test = runpy.run_path(sys.argv[1]); "
        "[sys.stdout.buffer.write(test['packed'](each, test['FILES'])) for each in test['FORMATS']]"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, __file__],
        capture_output=True,
        check=True,
        cwd=tmp_path,
        env={
            "PYTHONHASHSEED": "7",
            "TZ": "Asia/Seoul",
            "PYTHONPATH": str(Path(__file__).parents[3]),
        },
    )
    assert done.stdout == b"".join(packed(archive_format, FILES) for archive_format in FORMATS)


def test_gnu_tar_and_gzip_read_it(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(packed("tar.gz", FILES))
    subprocess.run(["gzip", "-t", "a.tar.gz"], check=True, cwd=tmp_path)
    folder = tmp_path / "out"
    folder.mkdir()
    done = subprocess.run(
        ["tar", "-xzf", "../a.tar.gz"], check=True, cwd=folder, capture_output=True
    )
    assert done.stderr == b""
    found = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert found == FILES
    assert {p.stat().st_mtime for p in folder.rglob("*") if p.is_file()} == {315_532_800}


def test_the_files_have_no_owner_and_nothing_is_compressed() -> None:
    data = packed("tar.gz", FILES)
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        facts = {(m.uid, m.gid, m.uname, m.gname, m.mode, m.mtime, m.type) for m in tar}
    assert facts == {(0, 0, "", "", 0o644, 315_532_800, tarfile.REGTYPE)}
    assert data[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    assert len(data) >= len(gzip.decompress(data))
    with zipfile.ZipFile(io.BytesIO(packed("zip", FILES))) as archive:
        infos = archive.infolist()
    assert {
        (i.date_time, i.compress_type, i.external_attr >> 16, i.create_system) for i in infos
    } == {((1980, 1, 1, 0, 0, 0), zipfile.ZIP_STORED, 0o100644, 3)}
    assert {i.flag_bits for i in infos} == {1 << 11}, "names are UTF-8"


def test_more_files_than_a_plain_zip_can_count() -> None:
    files = {f"{n}.json": b"" for n in range(65_536)}
    data = packed("zip", files)
    assert archive_length("zip", ((path, 0) for path in files)) == len(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == list(files)


def test_a_file_beyond_4_gib_of_a_zip_is_found() -> None:
    """zip64: its offset is in the extra field. The test leaves the 4 GiB before it out."""
    far = 5 * 2**32
    archive = Zip(offset=far)
    tail = archive.add("far.yaml", b"a: 1\n") + archive.end()

    class Sparse(io.BytesIO):
        """`tail` behind a hole."""

        def seek(self, offset: int, whence: int = 0, /) -> int:
            return super().seek(offset - far if whence == 0 else offset, whence) + far

        def tell(self) -> int:
            return super().tell() + far

    with zipfile.ZipFile(Sparse(tail)) as found:
        assert found.infolist()[0].header_offset == far
        assert found.read("far.yaml") == b"a: 1\n"
    assert archive_length("zip", [("hole", far), ("far.yaml", 5)]) > far


@pytest.mark.parametrize(
    "path",
    [
        "../a",
        "a/../b",
        "/a",
        "a//b",
        "./a",
        "a/.",
        "a/",
        "",
        "..\\a",
        "a\\..\\b",
        "\\a",
        "a\0b",
        "é" * 40_000,
    ],
)
def test_no_path_leads_out_of_the_folder(path: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        check_archivable(path)
    assert raised.value.code == "archive_path_unsafe"


@pytest.mark.parametrize("path", [*FILES, "..a", "a..", "...", ".hidden/.x", "C:a"])
def test_unusual_paths_are_no_danger(path: str) -> None:
    check_archivable(path)
