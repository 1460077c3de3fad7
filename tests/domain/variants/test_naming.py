"""The file names of variants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.variants.naming import check_modified_name, proposed_names
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.messages import detail
from benchmark_manager.models.original import FileFormat

FORMATS: st.SearchStrategy[FileFormat] = st.sampled_from(["yaml", "json"])
ENDINGS: dict[FileFormat, tuple[str, ...]] = {"yaml": (".yaml", ".yml"), "json": (".json",)}


def accepts(name: str, file_format: FileFormat) -> bool:
    try:
        check_modified_name(name, file_format)
    except InvalidInputError:
        return False
    return True


def test_the_refusal_names_the_field() -> None:
    with pytest.raises(InvalidInputError) as refused:
        check_modified_name("a.yaml", "json")
    assert (refused.value.code, refused.value.field) == ("invalid_name", "variant_name")
    assert detail(refused.value).startswith("modified_name must end in .json")


@pytest.mark.parametrize(
    ("name", "file_format"),
    [
        *(
            ("a.yaml", "yaml"),
            ("a.yml", "yaml"),
            ("A.YAML", "yaml"),
            ("a.Yml", "yaml"),
            ("a.json", "json"),
        ),
        *(
            ("a.JSON", "json"),
            ("a b.yaml", "yaml"),
            ("ü🚀.yaml", "yaml"),
            (".yaml", "yaml"),
            ("..yaml", "yaml"),
        ),
        *(("x" * 250 + ".yaml", "yaml"), ("é" * 125 + ".yaml", "yaml"), ("a:b?*.yaml", "yaml")),
    ],
)
def test_a_file_name_with_the_originals_ending_is_accepted(
    name: str, file_format: FileFormat
) -> None:
    assert accepts(name, file_format)


@pytest.mark.parametrize(
    ("name", "file_format"),
    [
        *(
            ("", "yaml"),
            (".", "yaml"),
            ("..", "yaml"),
            ("a", "yaml"),
            ("a.json", "yaml"),
            ("a.yaml", "json"),
        ),
        *(
            ("a.yaml.bak", "yaml"),
            ("a.yaml ", "yaml"),
            ("a.yaml\n", "yaml"),
            ("yaml", "yaml"),
            ("ayaml", "yaml"),
        ),
        *(
            ("a/b.yaml", "yaml"),
            ("../b.yaml", "yaml"),
            ("a\\b.yaml", "yaml"),
            ("a\x00.yaml", "yaml"),
        ),
        *(
            ("a\x85.yaml", "yaml"),
            ("a\u2028.yaml", "yaml"),
            ("x" * 251 + ".yaml", "yaml"),
            ("é" * 126 + ".yaml", "yaml"),
        ),
    ],
)
def test_anything_else_is_refused(name: str, file_format: FileFormat) -> None:
    assert not accepts(name, file_format)


@given(
    st.text(st.sampled_from("ab./\\\n\x00é🚀\ud800")) | st.text(),
    FORMATS,
    st.sampled_from(["", ".yaml", ".YML", ".json"]),
)
def test_whatever_is_accepted_is_one_name_of_one_folder(
    stem: str, file_format: FileFormat, ending: str
) -> None:
    name = stem + ending
    if accepts(name, file_format):
        assert name.lower().endswith(ENDINGS[file_format])
        assert not set(name) & set("/\\\x00\n")
        assert 1 <= len(name.encode("utf-8", "replace")) <= 255


@given(
    st.text(
        st.characters(
            codec="utf-8", exclude_characters="/\\", exclude_categories=("Cc", "Zl", "Zp")
        ),
        max_size=60,
    )
)
def test_every_plain_stem_makes_a_name_in_either_format(stem: str) -> None:
    assert accepts(f"{stem}.yaml", "yaml")
    assert accepts(f"{stem}.json", "json")


@pytest.mark.parametrize(
    ("name", "proposed"),
    [
        ("llama-3.1-8b.yaml", ["llama-3.1-8b-variant.yaml", "llama-3.1-8b-variant-2.yaml"]),
        ("A.YML", ["A-variant.YML", "A-variant-2.YML"]),
        (".json", ["-variant.json", "-variant-2.json"]),
    ],
)
def test_proposed_names_say_of_what_they_are_variants(name: str, proposed: list[str]) -> None:
    assert proposed_names(name, 2) == proposed
    for each in proposed:
        check_modified_name(each, "json" if name.endswith("json") else "yaml")
