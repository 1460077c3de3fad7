"""Hydra's overrides are read after its documented grammar; nothing of them is evaluated.

The cases are written after facebookresearch/hydra, website/docs/advanced/override_grammar/basic.md
("Sweeper syntax", "Quoted values", "Primitives") and extended.md ("Sweeps", "Type casting").
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.sweeps.importing.hydra import read_hydra
from benchmark_manager.domain.sweeps.importing.tool_sweep import ToolSweep, ToolValues
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.messages.notes import note_words

TOO_LARGE = "it has a number that JSON cannot hold: not finite, or over 300 digits."


def axes_of(sweep: ToolSweep) -> dict[str, list[Any]]:
    return {axis.name: list(axis.values) for axis in sweep.axes if isinstance(axis, ToolValues)}


def notes_of(sweep: ToolSweep) -> list[str]:
    return [note_words(note.code, note.facts) for note in sweep.notes]


@pytest.mark.parametrize(
    ("override", "values"),
    [
        ("batch=16,32", [16, 32]),
        ("batch=16, 32,64", [16, 32, 64]),
        ("batch=16", [16]),
        ("engine.kind=fast,safe", ["fast", "safe"]),
        ("kind=choice(fast,safe)", ["fast", "safe"]),
        ("kind=choice(choice(a, b), c)", ["a", "b", "c"]),
        ('name="x,y","z w"', ["x,y", "z w"]),
        (r"""name='it\'s','C:\\'""", ["it's", "C:\\"]),
        (r"name='a\b'", [r"a\b"]),
        (r"""name="a\'",'b\\'""", [r"a\'", "b\\"]),
        (r"""name='a\"b',"c\\\"d\'e",''""", [r"a\"b", r"""c\"d\'e""", ""]),
        ("'sizes=[1,2],[3,[4]]'", [[1, 2], [3, [4]]]),
        ("'limits={cpu: 1},{cpu: 2, \"mem\": 3}'", [{"cpu": 1}, {"cpu": 2, "mem": 3}]),
        ("n=range(4)", [0, 1, 2, 3]),
        ("n=range(2,8,3)", [2, 5]),
        ("n=range(-3,step=-1)", [0, -1, -2]),
        ("n=range(start=1, stop=3)", [1, 2]),
        ("n=range(0,1,0.4)", [0.0, 0.4, 0.8]),
        ("n=range(0.1,0.4,0.1)", [0.1, 0.2, 0.3]),
        ("n=sort(3,1,2)", [1, 2, 3]),
        ("n=sort(range(3),reverse=true)", [2, 1, 0]),
        ("n=sort([b,a])", [["a", "b"]]),
        ("n=tag(t1, t2, choice(a,b))", ["a", "b"]),
        ("n=float(range(1,3))", [1.0, 2.0]),
        ("n=int(3.9),str(10),bool(0),str([1,true])", [3, "10", False, ["1", "true"]]),
        ("n=str(1,a)", ["1", "a"]),
        ("n=int(range(2)),sort(true)", [0, 1, True]),
        ("v=null,TrUe,false,-1_000,1e3,.5,3.", [None, True, False, -1000, 1000.0, 0.5, 3.0]),
        ("v=a, -1", ["a", -1]),
        ("v=007,1a,a.b,10%", ["007", "1a", "a.b", "10%"]),
        (r"v=a\,b,c\ \ ", ["a,b", "c  "]),
        ("v=", [""]),
        ("v=hello  world", ["hello world"]),
        ("v=a, 'b,c'", ["a", "b,c"]),
        ("""v=a, "1", '', "b c", 'd','e'""", ["a", "1", "", "b c", "d", "e"]),
    ],
)
def test_an_override_is_the_list_of_its_values(override: str, values: list[Any]) -> None:
    sweep = read_hydra(override)
    assert repr(list(axes_of(sweep).values())) == repr([values])


def test_a_command_is_read_word_by_word_without_a_shell() -> None:
    command = "$ python bench.py -m 'lr=range(0, 2)' db=a,b \\\n  \"x=c,d\" --shell $(reboot)\n"
    sweep = read_hydra(f"# a sweep\n{command}")
    assert axes_of(sweep) == {"lr": [0, 1], "db": ["a", "b"], "x": ["c", "d"]}
    assert notes_of(sweep) == [
        "--shell was ignored: it is not about values of the files.",
        "$(reboot) was ignored: it is not about values of the files.",
    ]


def test_overrides_of_a_configuration_are_read() -> None:
    sweep = read_hydra(
        "defaults: [a]\n"
        "hydra:\n  mode: MULTIRUN\n  launcher: {n_jobs: 2}\n"
        "  sweeper:\n    max_batch_size: 5\n    params:\n"
        "      engine.batch: 16,32\n      n: range(2)\n      rate: 0.5\n      sizes: [1, 2]\n"
    )
    assert axes_of(sweep) == {
        "engine.batch": [16, 32],
        "n": [0, 1],
        "rate": [0.5],
        "sizes": [[1, 2]],
    }
    ignored = ["defaults", "hydra.launcher", "hydra.sweeper.max_batch_size"]
    assert notes_of(sweep) == [
        f"{name} was ignored: it is not about values of the files." for name in ignored
    ]


@pytest.mark.parametrize(("sign", "may_be_absent"), [("", False), ("+", True), ("++", True)])
def test_a_value_that_is_appended_may_be_absent(sign: str, may_be_absent: bool) -> None:
    (axis,) = read_hydra(f"{sign}engine.batch=1,2").axes
    assert isinstance(axis, ToolValues)
    assert (axis.parameter, axis.may_be_absent) == ("engine.batch", may_be_absent)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("db=glob(*)", "db was left out: glob() is no list of values."),
        ("db=glob([s*,w*],exclude=x)", "db was left out: glob() is no list of values."),
        ("x=interval(0,1)", "x was left out: interval() is no list of values."),
        ("x=launch(rm)", "x was left out: launch() is no list of values."),
        ("x=int(range(1,1.5))", "x was left out: range() is no list of values."),
        ("x=str(range(2))", "x was left out: range() is no list of values."),
        ("x=shuffle([1,2])", "x was left out: shuffle() is no list of values."),
        ("x=${oc.env:HOME},1", "x was left out: ${} is no list of values."),
        ("x='${a}'", "x was left out: ${} is no list of values."),
        ("x=1,inf", "x was left out: inf is no list of values."),
        ("x=1,1e400", f"x was left out: {TOO_LARGE}"),
        ("x=[float(1e400)]", f"x was left out: {TOO_LARGE}"),
        (f"x=int('1{'0' * 310}')", f"x was left out: {TOO_LARGE}"),
        ("~db=a", "db was left out: ~ is no list of values."),
        ("~db", "db was left out: ~ is no list of values."),
        ("x=range(0)", "x was left out: [] is no list of values."),
        ("x=range(100000000000000)", "x was left out: it has more than 1000 values."),
        ("x=range(0,1,1e-9)", "x was left out: it has more than 1000 values."),
        (
            "hydra.sweep.dir=a,b",
            "hydra.sweep.dir was ignored: it is not about values of the files.",
        ),
        ("x=choice(1", "x=choice(1 was left out: it does not follow the tool's syntax."),
        ("x=[a", "x=[a was left out: it does not follow the tool's syntax."),
        ("x={a:1,a:2}", "x={a:1,a:2} was left out: it does not follow the tool's syntax."),
        ("x=a[1]", "x=a[1] was left out: it does not follow the tool's syntax."),
        ("x=1,,2", "x=1,,2 was left out: it does not follow the tool's syntax."),
        ("x='a", "x='a was left out: it does not follow the tool's syntax."),
        ("x=range(1,2,0)", "x=range(1,2,0) was left out: it does not follow the tool's syntax."),
        ("x=range(a)", "x=range(a) was left out: it does not follow the tool's syntax."),
        *(
            (f"x={text}", f"x={text} was left out: it does not follow the tool's syntax.")
            for text in (
                *("choice(a=1)", "range(step=1)", "range(1,2,3,4)", "range(true)", "sort()"),
                *("sort(1,reverse=a)", "sort(1,a)", "shuffle(x=1)", "tag(a)", "tag(1,choice(a))"),
                *("tag(a,list=choice(a))", "int(null)", "bool(a)", "int(value=1,value=2)"),
            )
        ),
        ("x=int(a)", "x=int(a) was left out: it does not follow the tool's syntax."),
        ("x=[choice(1,2)]", "x=[choice(1,2)] was left out: it does not follow the tool's syntax."),
    ],
)
def test_what_is_no_list_of_values_is_noted_and_left_out(override: str, sentence: str) -> None:
    sweep = read_hydra(override)
    assert (sweep.axes, notes_of(sweep)) == ((), [sentence])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "x=shuffle(2,1)",
            "x would be shuffled by Hydra; its values are in the order of the text.",
        ),
        (
            "x={a:1}",
            "x has objects as values: Hydra merges them into what is there, a sweep replaces it.",
        ),
        ("x=1,2\nx=3", "x is given more than once; the last one counts."),
    ],
)
def test_what_means_something_else_here_is_noted(text: str, sentence: str) -> None:
    sweep = read_hydra(text)
    assert (len(sweep.axes), notes_of(sweep)) == (1, [sentence])


@pytest.mark.parametrize(
    "text", ["x=" + "[" * 50_000, "x=" + "choice(" * 20_000, "x='" + "\\" * 99_999]
)
def test_a_hostile_value_is_left_out(text: str) -> None:
    assert read_hydra(text).axes == ()


@given(st.text("ax=,()[]{}:'\"\\ ~+$1.-\n"))
def test_any_text_gives_axes_or_notes(text: str) -> None:
    sweep = read_hydra(text)
    assert all(axis.assigned for axis in sweep.axes)


def test_a_configuration_has_objects_down_to_the_parameters() -> None:
    with pytest.raises(InvalidInputError) as refused:
        read_hydra("hydra:\n  sweeper: [1]\n")
    assert refused.value.field == "text.hydra.sweeper"
