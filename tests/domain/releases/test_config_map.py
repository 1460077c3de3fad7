"""Every YAML reader reads the exact bytes of each text from a ConfigMap manifest."""

import json
import shutil
import subprocess

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmark_manager.domain.releases.config_map import (
    ANNOTATION,
    LARGEST,
    check_config_map_name,
    check_config_map_size,
    config_map,
    config_map_keys,
    yaml_text,
)
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.messages import detail
from support.examples import EXAMPLES

DIGEST = "sha256:" + "0" * 64
#: What YAML readers fold, normalise, trim or refuse when it is not quoted.
ODDITIES = (
    *(
        "",
        "\n",
        "\n\n",
        " ",
        "\t",
        " \n",
        "\n \n",
        "a",
        "a\n",
        "a\n\n",
        "a\n\n\n",
        "\na\n",
        "\n\n a\n",
        "  a\n b\n",
    ),
    *(
        "\ta\n",
        " \ta\n",
        "a \n",
        "a\t",
        "a\n ",
        "a\n \n",
        "a\n\t\n",
        "a\r\nb\r\n",
        "a\rb\r",
        "a\r",
        "\r",
        "\r\n",
    ),
    *(
        "\ufeffa: 1\n",
        "a\ufeff",
        "a\x85b",
        "a\u2028b\u2029",
        "a\x00",
        "\x01\x1b[31m\x7f\x80\x9f",
        "\xa0",
        "\ufffe\uffff",
    ),
    *(
        "---\na\n...\n",
        "# comment\n",
        "a: 1 # c\n",
        "%YAML 1.1\n",
        "'",
        '"',
        "\\",
        "\\n",
        "\\\\x",
        "{{ x }}",
        "&a *b !c",
    ),
    *(
        "🚀\n",
        "é e\u0301\n",
        "\ud7ff\ue000\ufffd\U0010ffff\n",
        "null",
        "yes",
        "012",
        "1e3",
        "~",
        "=",
        "- a\n- b\n",
        "|\n",
        ">-",
    ),
    *(
        "a\n\n  b\n\n\n   c",
        "   \n a\n",
        "a\n    ",
        "x" * 5000,
        ("y " * 3000 + "\n") * 3,
        "\n" * 50 + "a",
    ),
)
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text(st.sampled_from(list(" \t\n\r\x85\u2028\ufeffab:#-'\"\\|>&*!%{}[],?\x00\x7fé🚀"))),
    st.lists(st.sampled_from(["", " ", "a", " a", "a ", "\t", "# a", "---", "a: 1"])).map(
        "\n".join
    ),
)


LOADERS = (yaml.SafeLoader, yaml.CSafeLoader)


def read_back(manifest: str, loader: type[yaml.SafeLoader | yaml.CSafeLoader]) -> dict[str, str]:
    # Both loaders are safe ones.
    found: dict[str, str] = yaml.load(manifest.encode(), Loader=loader)["data"]  # noqa: S506
    return found


@settings(max_examples=EXAMPLES)
@given(st.lists(TEXTS, min_size=1, max_size=4))
@example(list(ODDITIES))
def test_every_text_comes_back_exactly(texts: list[str]) -> None:
    """From PyYAML's own reader and from libyaml, whatever text stands before or behind."""
    data = {f"{number}.yaml": text for number, text in enumerate(texts)}
    manifest = config_map("x", DIGEST, data)
    assert [read_back(manifest, loader) for loader in LOADERS] == [data, data]


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on this machine")
def test_kubernetes_reads_the_same() -> None:
    """Its Go reader, offline: `--local` asks no server."""
    data = {f"{number}.yaml": text for number, text in enumerate(ODDITIES)}
    keys = (
        *(
            "null",
            "012",
            "1e3",
            "yes",
            "-",
            "-a",
            "---.yaml",
            ".hidden",
            "a.b",
            "0x1F",
            "1.0",
            "_",
            "1_000",
            "NO.json",
        ),
    )
    data |= {key: key for key in keys}
    command = ["kubectl", "annotate", "--local", "-f", "-", "-o", "json", "seen=yes"]
    done = subprocess.run(
        command, input=config_map("x", DIGEST, data).encode(), capture_output=True, check=True
    )
    assert json.loads(done.stdout)["data"] == data


def test_ordinary_files_stay_readable() -> None:
    text = "model: llama\nargs:\n  - --tp=8  # two nodes\n\n\ttabbed\n"
    manifest = config_map(
        "release-0", DIGEST, {"config__a.yaml": text, "b.json": "{}", "c.yaml": "c: 1\n\n\n"}
    )
    assert manifest == (
        'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: "release-0"\n  labels:\n'
        "    app.kubernetes.io/managed-by: benchmark-manager\n  annotations:\n"
        f'    benchmark-manager/release: "{DIGEST}"\nimmutable: true\ndata:\n'
        "  config__a.yaml: |\n    model: llama\n    args:\n"
        "      - --tp=8  # two nodes\n\n    \ttabbed\n"
        "  b.json: |-\n    {}\n  c.yaml: |+\n    c: 1\n\n\n"
    )
    assert yaml_text("\n  a: 1\n") == "|2\n\n      a: 1\n"
    assert yaml_text("a: 1\r\n") == '"a: 1\\r\\n"\n'


def test_a_manifest_is_an_immutable_config_map() -> None:
    manifest = yaml.safe_load(config_map("1.0", DIGEST, {"null": "x", "a.yaml": ""}))
    assert manifest == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "1.0",
            "labels": {"app.kubernetes.io/managed-by": "benchmark-manager"},
            "annotations": {ANNOTATION: DIGEST},
        },
        "immutable": True,
        "data": {"null": "x", "a.yaml": ""},
    }


@settings(max_examples=EXAMPLES)
@given(st.from_regex(r"\A[-._a-zA-Z0-9]{1,30}\Z"))
def test_every_key_comes_back_as_text(key: str) -> None:
    data = {key: "x"}
    manifest = config_map("x", DIGEST, data)
    assert [read_back(manifest, loader) for loader in LOADERS] == [data, data]


def test_keys_are_paths_without_slashes() -> None:
    paths = ["config/deep/a.yaml", "b_c.json", "x" * 253, "..a"[1:], "a..b"]
    assert list(config_map_keys(paths).values()) == [
        "config__deep__a.yaml",
        "b_c.json",
        "x" * 253,
        ".a",
        "a..b",
    ]


@pytest.mark.parametrize(
    "path",
    ["größe.yaml", "a b.yaml", "a\n", "x" * 254, "a+b", ".", "..", "..a", "a\\b", "", "..yaml/a"],
)
def test_a_path_which_is_no_key_is_refused(path: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        config_map_keys(["ok.yaml", path])
    assert raised.value.code == "configmap_key_invalid"


def test_two_paths_of_one_key_are_refused() -> None:
    with pytest.raises(InvalidInputError) as raised:
        config_map_keys(["a/b.yaml", "a__b.yaml"])
    assert raised.value.code == "configmap_key_clash"
    assert "'a/b.yaml' and 'a__b.yaml'" in detail(raised.value)


def test_it_holds_a_mebibyte() -> None:
    check_config_map_size(LARGEST)
    with pytest.raises(InvalidInputError) as raised:
        check_config_map_size(LARGEST + 1)
    assert raised.value.code == "configmap_too_large"


@pytest.mark.parametrize("name", ["a", "0", "release-1", "a.b-c.d", "x" * 253])
def test_names_are_dns_subdomains(name: str) -> None:
    check_config_map_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "A",
        "a_b",
        "-a",
        "a-",
        "a.-b",
        ".a",
        "a.",
        "a..b",
        "ü",
        "a\n",
        "x" * 254,
        'a"\nb: c',
        "٣",
    ],
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        check_config_map_name(name)
    assert (raised.value.code, raised.value.field) == ("invalid_name", "config_map_name")
