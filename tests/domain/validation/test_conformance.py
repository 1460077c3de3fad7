"""The YAML test suite and JSONTestSuite, with every case in which our verdict differs."""

import re
from pathlib import Path

import pytest

from benchmark_manager.domain.sync.classification import skip_reason_of_content
from benchmark_manager.domain.validation import validate
from benchmark_manager.models.original import FileFormat

CONFORMANCE = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "conformance"
YAML_SUITE = CONFORMANCE / "yaml-test-suite"
JSON_SUITE = CONFORMANCE / "json-test-suite" / "test_parsing"
PAGE = Path(__file__).resolve().parents[3] / "docs" / "validation.md"
pytestmark = pytest.mark.skipif(
    not CONFORMANCE.exists(), reason="the conformance suites are not beside the checkout"
)

# libyaml accepts more than YAML 1.2: a comment without a space before it, odd indentation inside
# quotes or brackets, a directive without an end marker before it. PyYAML reads these files too.
TOLERATED = """
    9C9N 9HCY 9JBA CVW2 DK95/01 EB22 G5U8 MUS6/00 MUS6/01 QB6E RHX7 S98Z SU5Z X4QW Y79Y/003 YJV2
"""
# libyaml lacks some of YAML 1.2: tabs as separation, empty keys, documents without a marker, colons
# without a space in flow style. PyYAML cannot read these files either. 2JQS and X38W hold a key
# twice, about which the suite says nothing.
REFUSED = """
    2JQS 2LFX 2SXE 4ABK 4MUZ/00 4MUZ/01 4MUZ/02 58MP 5MUD 5T43 6BCT 6CA3 6LVF 6M2F 7Z25 8XYN 96NN/00
    96NN/01 9SA2 A2M4 BEC7 CFD4 DBG4 DK3J DK95/00 DK95/03 DK95/04 FP8R FRK4 HM87/00 HWV9 K3WX
    M2N8/00 M7A3 MUS6/05 MUS6/06 NHX8 NJ66 NKF9 Q5MG QT73 R4YG S3PD SM9W/01 UKK6/00 UT92 VJP3/01
    W4TN W5VH X38W Y79Y/001 Y79Y/010
"""


def accepts(path: Path, file_format: FileFormat) -> bool:
    data = path.read_bytes()
    return (
        skip_reason_of_content(data) is None
        and validate(data.decode(), file_format).validity == "valid"
    )


def test_yaml_suite_differs_only_where_libyaml_does() -> None:
    cases = {str(path.parent.relative_to(YAML_SUITE)): path for path in YAML_SUITE.rglob("in.yaml")}
    wrong = {
        name
        for name, path in cases.items()
        if accepts(path, "yaml") == (path.parent / "error").exists()
    }
    assert wrong == {*TOLERATED.split(), *REFUSED.split()}
    assert len(cases) == 402


def test_json_suite_differs_only_in_duplicate_keys() -> None:
    wrong = {
        path.name
        for path in JSON_SUITE.glob("[yn]_*.json")
        if accepts(path, "json") != path.name.startswith("y_")
    }
    assert wrong == {"y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"}


@pytest.mark.parametrize("path", sorted(JSON_SUITE.glob("i_*.json")), ids=lambda path: path.name)
def test_undecided_json_gets_a_verdict(path: Path) -> None:
    assert accepts(path, "json") in {True, False}


def test_the_page_has_the_figures_of_the_suites() -> None:
    """docs/validation.md: cases, accepted and refused of each part of the suites."""
    cases = list(YAML_SUITE.rglob("in.yaml"))
    parts: list[tuple[list[Path], FileFormat]] = [
        ([path for path in cases if not (path.parent / "error").exists()], "yaml"),
        ([path for path in cases if (path.parent / "error").exists()], "yaml"),
        *((list(JSON_SUITE.glob(f"{kind}_*.json")), "json") for kind in "yni"),
    ]
    table = PAGE.read_text("utf-8").partition("## Held against")[2].partition("## Limits")[0]
    rows = re.findall(r"\| ([0-9]+) \| ([0-9]+) \| ([0-9]+) \|", table)
    accepted = [sum(accepts(path, file_format) for path in paths) for paths, file_format in parts]
    expected = [
        (len(paths), good, len(paths) - good)
        for (paths, _), good in zip(parts, accepted, strict=True)
    ]
    assert [tuple(map(int, row)) for row in rows] == expected
