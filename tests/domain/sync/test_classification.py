"""What belongs to a project, by path, name, mode and content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.sync.classification import (
    candidate,
    format_of,
    skip_reason_of_content,
    skip_reason_of_entry,
    type_by_content,
)
from benchmark_manager.domain.yaml.manifest_outline import WORKLOAD_KINDS

FILE = "100644"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12345\n"
SEGMENT = st.sampled_from(["a", "b", "config", "job", "x.yaml"])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.yaml", "yaml"),
        ("a.YML", "yaml"),
        ("a.Json", "json"),
        (".yaml", "yaml"),
        ("a.yaml.bak", None),
        ("yaml", None),
        ("myyaml", None),
        ("a.yaml ", None),
        ("a.yaml.j2", None),
        ("", None),
    ],
)
def test_the_ending_decides_the_format(path: str, expected: str | None) -> None:
    assert format_of(path) == expected


@pytest.mark.parametrize(
    ("path", "config", "job", "expected"),
    [
        ("config/a.yaml", "config", "job", "config"),
        ("config/deep/er/a.json", "config", "job", "config"),
        ("job/a.yml", "config", "job", "job"),
        ("job/a.json", "config", "job", None),
        ("config-other/a.yaml", "config", "job", None),
        ("configs.yaml", "config", "job", None),
        ("Config/a.yaml", "config", "job", None),
        ("other/config/a.yaml", "config", "job", None),
        ("a.yaml", "", "job", "config"),
        ("job/a.yaml", "", "job", "job"),
        ("job/a.json", "", "job", None),
        ("jobs/a.json", "", "job", "config"),
        ("a.yaml", "config", "", "job"),
        ("config/a.yaml", "config", "", "config"),
        ("config/a.json", "config", "", "config"),
        ("a.json", "config", "", None),
        ("config/job/a.yaml", "config", "config/job", "job"),
        ("config/job/a.json", "config", "config/job", None),
        ("job/config/a.yaml", "job/config", "job", "config"),
        ("both/a.yaml", "both", "both", "by_content"),
        ("both/a.json", "both", "both", "config"),
        ("a.yaml", "", "", "by_content"),
        ("config/a.md", "config", "job", None),
        ("config", "config", "job", None),
        ("c.yaml", "c.yaml", "job", None),
    ],
)
def test_the_folder_decides(path: str, config: str, job: str, expected: str | None) -> None:
    assert candidate(path, FILE, config, job) == expected


@pytest.mark.parametrize("mode", ["040000", "40000"])
def test_folder_named_like_a_file_is_none(mode: str) -> None:
    assert candidate("config/dir.yaml", mode, "config", "job") is None


@pytest.mark.parametrize("mode", ["100644", "100755", "120000", "160000"])
def test_other_modes_are_candidates(mode: str) -> None:
    assert candidate("config/a.yaml", mode, "config", "job") == "config"


@given(
    st.lists(SEGMENT, min_size=1, max_size=4),
    st.lists(SEGMENT, max_size=3),
    st.lists(SEGMENT, max_size=3),
)
def test_a_candidate_lies_inside_its_folder(
    path: list[str], config: list[str], job: list[str]
) -> None:
    found = candidate("/".join([*path, "f.yaml"]), FILE, "/".join(config), "/".join(job))
    in_config, in_job = path[: len(config)] == config, path[: len(job)] == job
    assert (found is None) == (not in_config and not in_job)
    if found == "config":
        assert in_config
        assert not in_job or len(config) > len(job)


@pytest.mark.parametrize("kind", sorted(WORKLOAD_KINDS))
def test_workload_at_the_top_is_a_job(kind: str) -> None:
    assert type_by_content(f"apiVersion: v1\nkind: {kind}\n") == "job"


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffkind: Job\n",
        "\ufeffkind: Job\nx: [\n",
        "kind: Job",
        "kind: 'Job' # comment\r\n",
        '{"apiVersion": "batch/v1", "kind": "Job"}',
        "a: 1\n---\nkind: Job\n",
        "---\n---\nkind: &k Job\n",
        "x: &k Job\nkind: *k\n",
        "kind: Job\nkind: Job\n",
        "kind: Job\rname: {{ x }}-{{ y }}\r",
        "name: {{ a }}-{{ b }}\n'kind': \"Job\"   # comment\r\nx: 1\n",
        "{{ if x }}\nkind: CronJob",
    ],
)
def test_is_a_job(text: str) -> None:
    assert type_by_content(text) == "job"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "kind: Service\n",
        "kind: job\n",
        "# kind: Job\na: 1\n",
        "spec:\n  kind: Job\n",
        "items:\n- kind: Job\n",
        "- kind: Job\n",
        "text: |\n  kind: Job\n",
        "? kind\n: [Job]\n",
        "x: {{ a }}-{{ b }}\n  kind: Job\n",
        "x: {{ a }}-{{ b }}\nkind: Jobs\n",
        "x: {{ a }}-{{ b }}\nkind: Job#no-comment\n",
        "x: {{ a }}-{{ b }}\nkind: 'Job\"\n",
        "x: {{ a }}-{{ b }}\nkind: {{ kind }}\n",
    ],
)
def test_is_config(text: str) -> None:
    assert type_by_content(text) == "config"


@given(st.text(alphabet="kind: Job\n\r'\"{}[]-#&*\ufeff\u2028\x00\ud800"))
def test_content_never_raises(text: str) -> None:
    assert type_by_content(text) in {"config", "job"}


@pytest.mark.parametrize(
    ("mode", "size", "path", "expected"),
    [
        ("120000", 5, "a", "symlink"),
        ("160000", None, "a", "submodule"),
        (FILE, 1000, "a", None),
        (FILE, 1001, "a", "too_large"),
        (FILE, None, "a", None),
        ("120000", 1001, "a", "symlink"),
        (FILE, 5, "\udce9.yaml", "name_not_utf8"),
    ],
)
def test_entry_is_skipped(mode: str, size: int | None, path: str, expected: str | None) -> None:
    assert skip_reason_of_entry(mode, size, 1000, path=path) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", None),
        ("ü 한글 🚀\r\n".encode(), None),
        (b"\xef\xbb\xbfa: 1", None),
        (b"a\x00b", "binary"),
        (b"\xff\xfea\x00", "binary"),
        (b"\xfc", "not_utf8"),
        (b"a: \xed\xa0\x80", "not_utf8"),
        (b"\xf0\x9f\x9a", "not_utf8"),
        (POINTER, "lfs_pointer"),
        (POINTER.replace(b"\n", b"\r\n"), "lfs_pointer"),
        (POINTER.replace(b"oid", b"ext-0-foo sha256:" + b"b" * 64 + b"\noid"), "lfs_pointer"),
        (POINTER[:-1], "lfs_pointer"),
        (POINTER + b"x: 1\n", None),
        (POINTER + b" " * 1000, None),
        (b"# " + POINTER, None),
        (POINTER.replace(b"a" * 64, b"a" * 63), None),
    ],
)
def test_content_is_skipped(data: bytes, expected: str | None) -> None:
    assert skip_reason_of_content(data) == expected
