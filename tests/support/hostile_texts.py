"""Texts that might cost far more than their share, in any size, and which requests they attack.

A text grows in proportion to the size that is asked for, in characters; its cost must do nearly the
same. Whoever finds another such text adds it here, and every test of growth, of time and of memory
has it.

    for hostile in HOSTILE:
        for door in hostile.doors:
            run(door, hostile.make(100_000))
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, TypeAlias

from benchmark_manager.domain.documents import (
    compare_three_ways,
    compare_together,
    key_changes,
    values_at,
)
from benchmark_manager.domain.merge import merge
from benchmark_manager.domain.search.content_search import ContentQuery, find_in_content
from benchmark_manager.domain.sync.classification import type_by_content
from benchmark_manager.domain.text.unified_diff import unified_diff
from benchmark_manager.domain.validation import validate
from benchmark_manager.domain.validation.across import check_across, references
from benchmark_manager.domain.validation.kubernetes.schemas import KubernetesSchemas
from benchmark_manager.models.original import FileFormat
from benchmark_manager.models.search import SearchIn
from benchmark_manager.services.texts.kubernetes_schemas import PACKAGE, load_schemas

Door: TypeAlias = Literal[
    "validate",
    "job",
    "schema",
    "gpu",
    "sync",
    "search",
    "diff",
    "compare",
    "variants",
    "merge",
    "drift",
]
"""Where a text comes in.

`validate`: YAML or JSON. `job`: a manifest, with Kubernetes' schemas. `schema`: settings (the first
text) with the schema that they name (the second). `gpu`: a manifest with the settings that it
names. `sync`: a first look, and the verdict. `diff`: a patch. `compare`: by key. `variants`: the
table of an original and its variants. `merge`: of three. `drift`: the same, for 25 variants of one
original. `search`: inside it, by text, key and value.
"""

Texts: TypeAlias = tuple[str, ...]
"""One to three: the original (base), what upstream made of it (theirs), a variant (mine)."""

READS: Final[tuple[Door, ...]] = ("validate", "sync", "search")
PAIRS: Final[tuple[Door, ...]] = ("diff", "compare", "variants", "merge")

SEARCHED_IN: Final[tuple[SearchIn, ...]] = ("text", "keys", "values")

SCHEMA_PATH: Final = "config/schema.json"
SETTINGS_PATH: Final = "config/tp.yaml"


@dataclass(frozen=True, slots=True)
class HostileText:
    """A named generator; `make(size)` gives texts of about `size` characters in all."""

    name: str
    doors: tuple[Door, ...]
    make: Callable[[int], Texts]
    format: FileFormat = "yaml"
    settles: int = 0
    """Characters up to which a fixed budget is being spent, so that the cost grows faster.

    0: nowhere.
    """


HOSTILE: tuple[HostileText, ...] = ()


def _hostile(
    name: str,
    *doors: Door,
    format: FileFormat = "yaml",  # noqa: A002
    settles: int = 0,
) -> Callable[[Callable[[int], Texts]], None]:
    def add(make: Callable[[int], Texts]) -> None:
        global HOSTILE  # noqa: PLW0603 -- filled while the module is read, and never after
        HOSTILE = (*HOSTILE, HostileText(name, doors, make, format, settles))

    return add


def _text(
    name: str,
    *doors: Door,
    make: Callable[[int], str],
    format: FileFormat = "yaml",  # noqa: A002
    settles: int = 0,
) -> None:
    _hostile(name, *doors, format=format, settles=settles)(lambda size: (make(size),))


def _repeated(piece: str) -> Callable[[int], str]:
    return lambda size: piece * max(1, size // len(piece))


def _numbered(form: str) -> Callable[[int], str]:
    """Pieces in which `{n}` is a number of their own."""
    return lambda size: "".join(
        form.format(n=n) for n in range(max(1, size // len(form.format(n=10_000))))
    )


def _cut(text: str, size: int) -> str:
    return text[: max(1, size)]


# --- a door each ----------------------------------------------------------------------------------


@cache
def _schemas() -> KubernetesSchemas:
    return load_schemas(PACKAGE)


def run(door: Door, texts: Texts, file_format: FileFormat = "yaml") -> None:
    """Do what a door does with texts from outside.

    Whatever it answers is right here, but for an exception.
    """
    _DOORS[door](texts, file_format)


def _validate(texts: Texts, file_format: FileFormat) -> None:
    validate(texts[0], file_format)


def _job(texts: Texts, file_format: FileFormat) -> None:
    validate(texts[0], file_format, "job", kubernetes=_schemas())


def _sync(texts: Texts, file_format: FileFormat) -> None:
    validate(texts[0], file_format, type_by_content(texts[0]))


def _search(texts: Texts, file_format: FileFormat) -> None:
    parses = validate(texts[0], file_format, "config").validity == "valid"
    for where in SEARCHED_IN:
        find_in_content(
            texts[0], file_format, ContentQuery.of("a", where), limit=100, parses=parses
        )


def _schema(texts: Texts, file_format: FileFormat) -> None:
    others = {SCHEMA_PATH: texts[1]}
    if references(texts[0], "config/run.json", file_format, "config", others):
        check_across(texts[0], "config/run.json", file_format, "config", others)


def _gpu(texts: Texts, file_format: FileFormat) -> None:
    others = {SETTINGS_PATH: texts[1] if len(texts) > 1 else "tensor_parallel_size: 3\n"}
    if references(texts[0], "job/run.yaml", file_format, "job", others):
        check_across(texts[0], "job/run.yaml", file_format, "job", others)


def _diff(texts: Texts, _format: FileFormat) -> None:
    base, theirs, _ = sides(texts)
    unified_diff(base, theirs, before_path="a", after_path="b")


def _compare(texts: Texts, file_format: FileFormat) -> None:
    base, theirs, _ = sides(texts)
    key_changes(base, theirs, file_format)


def _variants(texts: Texts, file_format: FileFormat) -> None:
    base, theirs, mine = sides(texts)
    values_at(theirs, file_format)
    compare_three_ways(theirs, base, [mine], file_format)
    compare_together(theirs, [(mine, base)], file_format)


def _merge(texts: Texts, file_format: FileFormat) -> None:
    merge(*sides(texts), file_format)


def _drift(texts: Texts, file_format: FileFormat) -> None:
    base, theirs, mine = sides(texts)
    for number in range(25):
        variant = f"{mine}# {number}\n" if file_format == "yaml" else mine + " " * number
        merge(base, theirs, variant, file_format)


_DOORS: Final[dict[Door, Callable[[Texts, FileFormat], None]]] = {
    "validate": _validate,
    "job": _job,
    "schema": _schema,
    "gpu": _gpu,
    "sync": _sync,
    "search": _search,
    "diff": _diff,
    "compare": _compare,
    "variants": _variants,
    "merge": _merge,
    "drift": _drift,
}


def sides(texts: Texts) -> tuple[str, str, str]:
    """Base, theirs and mine.

    Those which are not given are the base with a line more at its beginning, or its end.
    """
    base = texts[0]
    theirs = texts[1] if len(texts) > 1 else f"\n{base}"
    mine = texts[2] if len(texts) > 2 else f"{base}\n"
    return base, theirs, mine


# --- YAML: syntax, directives, characters ---------------------------------------------------------

_text(
    "yaml: many %TAG lines",
    *READS,
    "merge",
    make=lambda size: _numbered("%TAG !a{n}! x\n")(size) + "--- a\n",
)
_text(
    "yaml: a few long %TAG lines, used by every node",
    *READS,
    "variants",
    make=lambda size: (
        "".join(f"%TAG !{n}! {'x' * 2000}\n" for n in range(3))
        + "---\n"
        + "- !2!x a\n" * (size // 9)
    ),
)
_text(
    "yaml: %TAG lines up to the limit, used by every node",
    *READS,
    "variants",
    make=lambda size: (
        "".join(f"%TAG !{n}! {'x' * 250}\n" for n in range(16))
        + "---\n"
        + "- !15!x a\n" * (size // 10)
    ),
)
_text("yaml: a %TAG line for each document", *READS, make=_numbered("%TAG !a{n}! x\n--- a\n...\n"))
_PRIVATE: Final = "".join(map(chr, range(0x100000, 0x10FFFE)))
_text(
    "yaml: every private character and a line separator",
    *READS,
    "compare",
    "merge",
    make=lambda size: (
        f'a: "{_PRIVATE}\u2028"\nb: "{_cut(_PRIVATE * (size // 65_000 + 1), size)}"\n'
    ),
    settles=70_000,
)
_text(
    "yaml: every private character in a comment",
    *READS,
    "compare",
    make=lambda size: f"a: b # {_PRIVATE}\u2028\n" + "# x\n" * (size // 4),
    settles=70_000,
)
for _piece, _label in (
    ("? ", "question marks on a line"),
    ("?\n", "lines of question marks"),
    ("- ", "dashes on a line"),
    ("-\n", "lines of dashes"),
    ("[", "brackets"),
    ("{", "braces"),
    ("[a,", "brackets with items"),
    ("a: ", "keys on a line"),
    ("{{", "openings of templates"),
    ("{%", "openings of statements"),
    ("{{ }}", "templates"),
    ("'", "quotes"),
    ('"', "double quotes"),
    ("\\", "backslashes"),
    ("&a ", "anchors on a line"),
    ("- &a a\n", "one anchor many times"),
    ("!a ", "tags on a line"),
    ("- !a a\n", "tags"),
    ("\u2028", "line separators"),
    ("\x85", "next lines"),
    ("\ufeff---\n", "marks of byte order"),
    ("\r", "carriage returns"),
    ("\n", "blank lines"),
    ("#\n", "comments"),
    (" ", "blanks"),
    ("\t", "tabs"),
    ("---\n", "marks of documents"),
    ("--- a\n...\n", "documents"),
    ("%YAML 1.1\n---\n", "versions"),
    ("a\n", "lines of a plain text"),
    (": ", "colons"),
    ("| ", "marks of blocks"),
    ("*a ", "aliases on a line"),
    ("\u200b", "zero-width spaces"),
    ("\U0001f680", "rockets"),
):
    _text(f"yaml: {_label}", *READS, "merge", make=_repeated(_piece))
_text("yaml: doubtful values", *READS, "variants", make=_repeated("- 010\n"))
_text("yaml: values which are not finite", *READS, "variants", make=_repeated("- .inf\n"))
_text("yaml: dates which are none", *READS, "variants", make=_repeated("- 2024-99-99\n"))
_text("yaml: a date without end", *READS, make=lambda size: f"a: 2024-99-99 0{'x' * size}\n")
_text("yaml: keys that are no strings", *READS, "compare", make=_numbered("{n}: a\n"))
_text("yaml: one key many times", *READS, make=_repeated("a: b\n"))
_text("yaml: unknown aliases", *READS, make=_repeated("- *a\n"))
_text(
    "yaml: aliases of one anchor",
    *READS,
    "job",
    "variants",
    make=lambda size: "- &a b\n" + "- *a\n" * (size // 5),
)
_text("yaml: a digit without end", *READS, "variants", make=lambda size: f"a: {'9' * size}\n")
_text(
    "yaml: hexadecimal digits without end",
    *READS,
    "variants",
    make=lambda size: f"a: 0x{'f' * size}\n",
)
_text(
    "yaml: base 60 without end",
    *READS,
    "variants",
    make=lambda size: f"a: 1{':59' * (size // 3)}\n",
)
_text(
    "yaml: base 60 that is none",
    *READS,
    "variants",
    make=lambda size: f"a: 1{':59' * (size // 3)}x\n",
)
_text("yaml: a fraction without end", *READS, "variants", make=lambda size: f"a: 0.{'1' * size}\n")
_text("yaml: underscores in a number", *READS, "variants", make=lambda size: f"a: 1{'_' * size}\n")
_text(
    "yaml: a block without end",
    *READS,
    "compare",
    "variants",
    make=lambda size: "a: |\n" + "  x\n" * (size // 4),
)
_text("yaml: many blocks", *READS, "compare", "variants", make=_numbered("k{n}: |+\n  x\n\n\n"))
_text(
    "yaml: folded lines", *READS, "variants", make=lambda size: "a: >\n" + "  x\n\n" * (size // 5)
)
_text(
    "yaml: a plain text of many lines",
    *READS,
    "variants",
    make=lambda size: "a: x\n" + "  x\n" * (size // 4),
)
_text(
    "yaml: escapes",
    *READS,
    "variants",
    make=lambda size: f'a: "{chr(92) + "x41"}'.ljust(8) + "\\x41" * (size // 4) + '"\n',
)
_text("yaml: NUL escapes", *READS, make=_repeated('- "\\0"\n'))
_text(
    "yaml: keys of keys",
    *READS,
    "compare",
    make=lambda size: (
        "? " * 150
        + "a"
        + "".join(f"\n{'  ' * n}: b" for n in range(149, -1, -1))
        + "\n"
        + "# x\n" * (size // 4)
    ),
)
_text("yaml: collections as keys", *READS, "compare", make=_numbered("? [a, b, {n}]\n: c\n"))
_text("yaml: equal collections as keys", *READS, make=_repeated("? [a, b, c]\n: c\n"))
_text("yaml: templates without an end behind values", *READS, make=_repeated("- a {{ b\n"))
_text("yaml: braces of CI", *READS, make=_repeated("- ${{ a\n"))
_text("yaml: mappings in braces", *READS, make=_repeated("- {{a: b}: c}\n"))
_text(
    "yaml: kinds at the margin that do not parse",
    "sync",
    make=lambda size: "\t" + "kind: \n" * (size // 7),
)
_text("yaml: a kind with endless blanks", "sync", make=lambda size: f"\t\nkind{' ' * size}x")
_text(
    "yaml: anchors of bombs",
    *READS,
    make=lambda size: "a0: &a0 x\n" + _numbered("a{n}: &b{n} [*a0, *a0]\n")(size),
)


@_hostile("yaml: merge keys of one large mapping", *READS, "job", settles=15_000)
def _merge_keys(size: int) -> Texts:
    keys = "".join(f"  k{n}: v\n" for n in range(size // 20))
    return (f"a: &a\n{keys}" + "".join(f"b{n}: {{<<: *a}}\n" for n in range(size // 30)),)


@_hostile("yaml: a deep line of items", *READS, "compare", "variants", "merge")
def _deep_items(size: int) -> Texts:
    return ("[" * 190 + ", ".join(f"a{n}" for n in range(size // 8)) + "]" * 190 + "\n",)


@_hostile("yaml: long keys above many values", "compare", "variants", "merge")
def _long_keys(size: int) -> Texts:
    keys = "".join(f"{' ' * n}{'k' * 500}{n}:\n" for n in range(size // 5_000))
    depth = size // 5_000
    items = "".join(f"{' ' * depth}- a{n}\n" for n in range(size // 2 // (depth + 10)))
    return keys + items, keys + items.replace("a", "b"), keys + items.replace("a", "c")


@_hostile("yaml: values on one line", "variants", "compare", "merge", "drift")
def _one_line(size: int) -> Texts:
    line = ", ".join(f"a{n}: b" for n in range(size // 11))
    return f"x: {{{line}}}\n", f"x: {{{line}, z: 1}}\n", f"x: {{y: 1, {line}}}\n"


@_hostile("yaml: another last value of a line", "variants", "compare", "merge", "drift")
def _last_value(size: int) -> Texts:
    line = ", ".join(f"a{n}: b" for n in range(size // 11))
    return f"x: {{{line}, z: b}}\n", f"x: {{{line}, z: c}}\n", f"x: {{{line}, z: d}}\n"


@_hostile("yaml: every value of a line is another one", "variants", "compare", "merge")
def _all_values(size: int) -> Texts:
    line = ", ".join(f"a{n}: b" for n in range(size // 11))
    return (
        f"x: {{{line}}}\n",
        f"x: {{{line.replace(': b', ': c')}}}\n",
        f"x: {{{line.replace(': b', ': d')}}}\n",
    )


@_hostile("yaml: every other value of a line is another one", "merge", "drift")
def _other_values(size: int) -> Texts:
    lines = [
        ", ".join(f"a{n}: {'x' if n % 2 == odd else 'b'}" for n in range(size // 11))
        for odd in (2, 0, 1)
    ]
    return f"x: {{{lines[0]}}}\n", f"x: {{{lines[1]}}}\n", f"x: {{{lines[2]}}}\n"


@_hostile("yaml: a wide indentation and short comments", "variants", "compare", "merge")
def _wide_indentation(size: int) -> Texts:
    column = " " * (size // 4)
    return (f"a:\n{column}- b\n" + "#-\n" * (size // 6) + f"{column}- c\n",)


@_hostile("yaml: theirs goes far to the right", "merge")
def _far_right(size: int) -> Texts:
    column = " " * (size // 6)
    base = "a:\n  b: 1\n  c: 2\n"
    theirs = f"a:\n{column}b: 1\n{column}c: 2\n"
    mine = base + "".join(f"  k{n}: x\n" for n in range(size // 20))
    return base, theirs, mine


@_hostile("yaml: both insert equal items", "merge", "compare", "drift")
def _equal_items(size: int) -> Texts:
    base = "- a\n" * (size // 4)
    return base, base + "- a\n", f"- a\n{base}"


@_hostile("yaml: periodic items", "merge", "compare", settles=20_000)
def _periodic_items(size: int) -> Texts:
    base = "- a\n- b\n- a\n- c\n" * (size // 16)
    return base, base.replace("- c\n", "- c\n- a\n"), base.replace("- b\n", "")


@_hostile("yaml: items by name in another order", "merge", "compare", "variants", settles=20_000)
def _named_items(size: int) -> Texts:
    items = [f"- name: n{n}\n  v: 1\n" for n in range(size // 22)]
    return "".join(items), "".join(items[::-1]), "".join(items[1:] + items[:1])


@_hostile("yaml: all items renamed", "merge", "compare")
def _renamed_items(size: int) -> Texts:
    items = [f"- name: n{n}\n  v: 1\n" for n in range(size // 22)]
    return (
        "".join(items),
        "".join(items).replace(": n", ": m"),
        "".join(items).replace("v: 1", "v: 2"),
    )


@_hostile("yaml: documents that change places", "merge", "compare", "job")
def _documents(size: int) -> Texts:
    made = [f"---\nkind: Job\nmetadata: {{name: j{n}}}\nspec: {{}}\n" for n in range(size // 50)]
    return "".join(made), "".join(made[::-1]), "".join(made[1:])


@_hostile("yaml: mappings which hash alike", "compare", "merge", "variants")
def _alike(size: int) -> Texts:
    pairs = ("{a: 1, b: 2}", "{a: 2, b: 1}", "{b: 2, a: 1}")
    return ("".join(f"- {pairs[n % 3]}\n" for n in range(size // 15)),)


@_hostile("yaml: a comment above and below each change", "merge")
def _comments(size: int) -> Texts:
    base = "".join(f"# x\nk{n}: 1\n  # y\n" for n in range(size // 18))
    return base, base.replace(": 1", ": 2", size // 50), base + "z: 1\n"


@_hostile("yaml: comments that have no position in theirs", "merge")
def _comments_without_position(size: int) -> Texts:
    items = [f"i{n}" for n in range(size // 30)]
    base, mine = (
        "a:\n" + "".join(f"- {item}{tail}\n" for item in items) for tail in ("", "  # {n}")
    )
    return f"{base}z: 1\n", f"a: [{', '.join(items)}]\nz: 2\n", f"{mine}z: 1\n"


@_hostile("yaml: comments between documents that both changed", "merge")
def _comments_between(size: int) -> Texts:
    comments = "# x\n" * (size // 20)
    return (
        f"a: 1\n{comments}---\nb: 1\n",
        f"a: 2\n# y\n{comments}---\nb: 2\n",
        f"a: 3\n# z\n{comments}# v\n---\nb: 1\n",
    )


@_hostile("yaml: a comment of mine at every line that upstream indented", "merge", "drift")
def _comments_of_mine(size: int) -> Texts:
    base = "a:\n" + "".join(f"  k{n}: 1\n" for n in range(size // 40))
    return (
        base,
        base.replace("  k", "    k"),
        base.replace(": 1\n", ": 2  # why\n").replace("  k", "  # up\n  k"),
    )


@_hostile("yaml: a key without end above comments", "merge")
def _comments_below_long_key(size: int) -> Texts:
    base = f"{'k' * (size // 8)}:\n" + "".join(f"  k{n}: 1\n" for n in range(size // 40))
    return base, base.replace(": 1", ": {v: 1}"), base.replace(": 1\n", ": 1  # why\n")


@_hostile("yaml: quotes around every value", "merge")
def _quotes(size: int) -> Texts:
    base = "".join(f"k{n}: 1\n" for n in range(size // 24))
    return base, base.replace(": 1", ': "1"'), base.replace(": 1", ": 2")


@_hostile("yaml: both remove items between brackets", "merge")
def _brackets(size: int) -> Texts:
    items = [f"a{n}" for n in range(size // 8)]
    return tuple(f"x: [{', '.join(some)}]\n" for some in (items, items[::2], items[1:]))


@_hostile("yaml: multi-line strings that both change", "merge")
def _long_strings(size: int) -> Texts:
    base = "".join(f"k{n}: |\n  a\n  b\n  c\n" for n in range(size // 20))
    return base, base.replace("  a\n", "  x\n"), base.replace("  c\n", "  y\n")


# --- JSON -----------------------------------------------------------------------------------------

_text(
    "json: blanks at the end",
    *READS,
    *PAIRS,
    make=lambda size: '{"a": 1}' + " " * size,
    format="json",
)
_text(
    "json: blanks inside",
    *READS,
    *PAIRS,
    make=lambda size: '{"a":' + " " * size + "1}",
    format="json",
)
_text(
    "json: line ends at the end",
    *READS,
    *PAIRS,
    make=lambda size: '{"a": 1}' + "\n" * size,
    format="json",
)
_text("json: brackets", *READS, make=_repeated("["), format="json")
_text(
    "json: brackets that close",
    *READS,
    *PAIRS,
    make=lambda size: f"[{','.join(['[]'] * (size // 3))}]",
    format="json",
)
_text(
    "json: escaped quotes without an end",
    *READS,
    make=lambda size: "[" * 201 + '"' + '\\"' * (size // 2),
    format="json",
)
_text("json: quotes", *READS, make=_repeated('"'), format="json")
_text(
    "json: escaped quotes in a string",
    *READS,
    "compare",
    make=lambda size: json.dumps({"a": '"' * (size // 2)}),
    format="json",
)
_text(
    "json: a list at the top",
    *READS,
    *PAIRS,
    make=lambda size: f"[{'1,' * (size // 2)}1]",
    format="json",
)
_text(
    "json: one key many times",
    *READS,
    make=lambda size: "{" + '"a":1,' * (size // 6) + '"a":1}',
    format="json",
)
_text(
    "json: keys with escapes",
    *READS,
    "compare",
    make=lambda size: "{" + ",".join(f'"\\u0061{n}":1' for n in range(size // 16)) + "}",
    format="json",
)
_text(
    "json: NUL escapes",
    *READS,
    make=lambda size: f'["{chr(92)}u0000' + "\\u0000" * (size // 6) + '"]',
    format="json",
)
_text(
    "json: halves of surrogates",
    *READS,
    make=lambda size: '["' + "\\ud800" * (size // 6) + '"]',
    format="json",
)
_text(
    "json: large whole numbers",
    *READS,
    "compare",
    make=lambda size: f"[{','.join(['9' * 30] * (size // 31))}]",
    format="json",
)
_text(
    "json: a digit without end",
    *READS,
    "compare",
    make=lambda size: f'{{"a": {"9" * size}}}',
    format="json",
)
_text(
    "json: whole numbers at Python's limit",
    *READS,
    "compare",
    make=lambda size: f'{{"a": [{",".join(["9" * 4300] * (size // 4301 + 1))}]}}',
    format="json",
)
_text(
    "json: a fraction without end",
    *READS,
    "compare",
    make=lambda size: f'{{"a": 0.{"1" * size}}}',
    format="json",
)
_text(
    "json: an exponent without end",
    *READS,
    "compare",
    make=lambda size: f'{{"a": 1e{"9" * size}}}',
    format="json",
)
_text(
    "json: a comment at the end",
    *READS,
    make=lambda size: f'{{"a": [{"1," * (size // 2)}1]}} // x',
    format="json",
)


@_hostile("json: a long key above many values", *PAIRS, format="json")
def _long_json_key(size: int) -> Texts:
    return tuple(json.dumps({"k" * (size // 2): [side] * (size // 8)}) for side in ("a", "b", "c"))


# --- manifests ------------------------------------------------------------------------------------


def _manifest(container: str, more: str = "") -> str:
    return (
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: run}\nspec:\n"
        "  template:\n    spec:\n      restartPolicy: Never\n"
        f"{more}      containers:\n      - name: main\n        image: x\n"
        f"        resources: {{limits: {{nvidia.com/gpu: 4}}}}\n{container}"
    )


_text(
    "gpu: a long word in args",
    "gpu",
    "job",
    make=lambda size: _manifest(f"        args: [{'x' * size}]\n"),
)
_text(
    "gpu: endings inside a word",
    "gpu",
    "job",
    make=lambda size: _manifest(f"        args: [a{'.yamlx' * (size // 6)}]\n"),
)
_text(
    "gpu: endings in command",
    "gpu",
    make=lambda size: _manifest(f"        command: [{'.yaml.' * (size // 6)}x]\n"),
)
_text("gpu: dots in a word", "gpu", make=lambda size: _manifest(f"        args: [a{'.' * size}]\n"))
_text(
    "gpu: long words in fifty variables",
    "gpu",
    "job",
    make=lambda size: _manifest(
        "        env:\n"
        + "".join(f"        - {{name: E{n}, value: {'x' * (size // 75)}}}\n" for n in range(50))
    ),
)
_text(
    "gpu: many names of files",
    "gpu",
    make=lambda size: _manifest("        args:\n" + _numbered("        - a/b/f{n}.yaml\n")(size)),
)
_text(
    "gpu: folders in a name",
    "gpu",
    make=lambda size: _manifest(f"        args: [{'a/' * (size // 2)}tp.yaml]\n"),
)
_text(
    "gpu: one long argument many times",
    "gpu",
    "job",
    make=lambda size: _manifest(
        f"        args:\n        - &a {'x' * (size // 2)}\n" + "        - *a\n" * (size // 26)
    ),
)


_text(
    "gpu: a script of variables",
    "gpu",
    make=lambda size: _manifest(
        f"        args: [sh, -c, tp.yaml {'$(A) ${B} $C -tp $(A ' * (size // 22)}]\n"
        "        env: [{name: A, value: -x $B}, {name: B, value: -x $(A) --data-parallel-size}]\n"
    ),
)
_text(
    "gpu: openings in a script",
    "gpu",
    make=lambda size: _manifest(f"        args: [sh, -c, tp.yaml {'$(a' * (size // 3)}]\n"),
)


@_hostile("gpu: settings with many sizes", "gpu")
def _sizes(size: int) -> Texts:
    return _manifest("        args: [tp.yaml]\n"), "".join(
        f"k{n}: {{tensor_parallel_size: {n}}}\n" for n in range(size // 38)
    )


_text(
    "job: openings of placeholders in many names",
    "job",
    make=lambda size: (
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  labels:\n"
        + _numbered("    a_{n}: '${{ $( {{{{ <a'\n")(size)
    ),
)
_text(
    "job: one long value with openings of placeholders",
    "job",
    make=lambda size: (
        f"apiVersion: batch/v1\nkind: Job\nmetadata: {{name: '{'${<a$(' * (size // 6)}'}}\n"
    ),
)
_text(
    "job: a List of Lists",
    "job",
    "sync",
    make=lambda size: (
        "kind: List\nitems:\n"
        + "- {kind: List, items: [{kind: JobList, items: [{spec: {}}, {$patch: a}]}]}\n"
        * (size // 75)
    ),
)
_text(
    "yaml: << many times",
    *READS,
    "merge",
    make=lambda size: "a: &a {x: 1}\nb:\n" + "  <<: *a\n" * (size // 9),
)
_text("yaml: keys with invisible characters", *READS, make=_numbered("a{n}\u200b: 1\n"))
_text("yaml: marks of conflicts", *READS, make=_repeated("# \n<<<<<<< \n>>>>>>> \n=======\n"))
_text(
    "yaml: marks of templates before a failure",
    *READS,
    make=lambda size: _numbered("a{n}: {{{{ x }}}}\n")(size) + "- @",
)
_text(
    "job: labels",
    "job",
    make=lambda size: (
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  labels:\n"
        + _numbered("    a_{n}: '-'\n")(size)
    ),
)
_text(
    "job: long labels of dots",
    "job",
    make=lambda size: (
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  labels:\n"
        + "".join(f"    {'a.' * 120}{n}/x: v\n" for n in range(size // 260))
    ),
)
_text(
    "job: variables",
    "job",
    make=lambda size: _manifest(
        "        env:\n" + _repeated("        - {name: A, value: b}\n")(size)
    ),
)
_text(
    "job: unknown fields", "job", make=lambda size: _manifest(_numbered("        f{n}: x\n")(size))
)
_text(
    "job: volumes",
    "job",
    make=lambda size: _manifest(
        "", "      volumes:\n" + _repeated("      - {name: v, emptyDir: {sizeLimit: 1x}}\n")(size)
    ),
)
_text("job: documents of no object", "job", make=_repeated("---\nkind: Job\n"))
_text(
    "job: maps of settings",
    "job",
    make=_repeated("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
)
_text(
    "job: quantities",
    "job",
    make=lambda size: _manifest(
        "        securityContext:\n" + _numbered("          a{n}: 1e999\n")(size)
    ),
)
_text(
    "job: amounts of many resources",
    "job",
    make=lambda size: _manifest("").replace(
        "nvidia.com/gpu: 4", ", ".join(f"x.y/r{n}: 1e-999" for n in range(size // 20))
    ),
)

_text(
    "job: ports of the node",
    "job",
    make=lambda size: _manifest(
        "        ports:\n" + _numbered("        - {{containerPort: 80, hostPort: {n}}}\n")(size)
    ),
)
_text(
    "job: devices that are mounted",
    "job",
    make=lambda size: _manifest(
        "        volumeMounts:\n"
        + _numbered("        - {{name: v{n}, mountPath: /{n}}}\n")(size // 2)
        + "        volumeDevices:\n"
        + _numbered("        - {{name: v{n}, devicePath: /{n}}}\n")(size // 2)
    ),
)
_text(
    "job: claims of resources",
    "job",
    make=lambda size: _manifest("").replace(
        "resources: {",
        f"resources: {{claims: [{', '.join(f'{{name: c{n}}}' for n in range(size // 12))}], ",
    ),
)
_text(
    "job: exit codes of unknown containers",
    "job",
    make=lambda size: (
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\n"
        "spec:\n  podFailurePolicy:\n    rules:\n"
        + _repeated(
            "    - {action: Count, onExitCodes: {operator: In, values: [1, 2], containerName: a}}\n"
        )(size)
    ),
)
_text(
    "job: indexes of a policy",
    "job",
    make=lambda size: (
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec:\n  completionMode: Indexed\n"
        "  completions: 100000000\n  successPolicy:\n    rules:\n"
        f"    - succeededIndexes: '{','.join(map(str, range(size // 6)))}'\n"
    ),
)
_text(
    "job: a long schedule",
    "job",
    make=lambda size: (
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a}\nspec:\n"
        f"  schedule: '{'1,' * (size // 2)}1 * * * *'\n"
    ),
)
_text(
    "job: keys and values of a Secret",
    "job",
    make=lambda size: (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"
        f"data:\n  a: {'QUFB' * (size // 8)}-\n" + _numbered("  k/{n}: YQ\n")(size // 2)
    ),
)
_text(
    "job: spread constraints",
    "job",
    make=lambda size: (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  topologySpreadConstraints:\n"
        + _numbered("  - {{maxSkew: 1, topologyKey: a{n}, whenUnsatisfiable: DoNotSchedule}}\n")(
            size
        )
    ),
)


# --- settings with a schema -----------------------------------------------------------------------


def _held(settings: object, schema: object) -> Texts:
    """Settings that name the schema, and the schema."""
    return json.dumps({"$schema": "schema.json", "x": settings}), json.dumps(schema)


def _of_x(schema: object) -> object:
    return {"properties": {"x": schema}}


_SCHEMA: Final[Door] = "schema"


def _schema_text(name: str, make: Callable[[int], Texts]) -> None:
    _hostile(name, _SCHEMA, format="json")(make)


_schema_text(
    "schema: a pattern with many states",
    lambda size: _held(("a" * 401 + "d") * (size // 402) + "c", _of_x({"pattern": "a(a|b){400}c"})),
)
_schema_text(
    "schema: patterns of letters",
    lambda size: _held(
        "a", _of_x({"allOf": [{"pattern": f"\\p{{L}}{{2}}{n}"} for n in range(size // 30)]})
    ),
)
_schema_text(
    "schema: patterns that ignore case beyond ASCII",
    lambda size: _held("a", _of_x({"pattern": "(?i)" + "[!-\U0010ffff]" * (size // 15)})),
)
_schema_text(
    "schema: many small patterns",
    lambda size: _held("a", _of_x({"allOf": [{"pattern": f"^a{n}"} for n in range(size // 24)]})),
)
_schema_text(
    "schema: repetitions of repetitions",
    lambda size: _held("a" * size, _of_x({"pattern": "(((a{9}){9}){9}){9}b"})),
)
_schema_text(
    "schema: optional letters",
    lambda size: _held("ab" * (size // 2), _of_x({"pattern": "a(a?b?){300}cc"})),
)
_schema_text(
    "schema: a divisor near zero",
    lambda size: _held([1.5] * (size // 5), _of_x({"items": {"multipleOf": 1e-308}})),
)
_schema_text(
    "schema: a small divisor",
    lambda size: _held([1e300] * (size // 7), _of_x({"items": {"multipleOf": 0.1}})),
)
_schema_text(
    "schema: unlike large numbers",
    lambda size: _held([2**64 + n for n in range(size // 22)], _of_x({"uniqueItems": True})),
)
_schema_text(
    "schema: unlike lists of large numbers",
    lambda size: _held([[2**64 + n] for n in range(size // 24)], _of_x({"uniqueItems": True})),
)
_schema_text(
    "schema: unlike numbers",
    lambda size: _held(list(range(size // 7)), _of_x({"uniqueItems": True})),
)
_schema_text(
    "schema: alternatives that are objects",
    lambda size: _held(
        [{"a": -1}] * (size // 20),
        _of_x({"items": {"enum": [{"a": n} for n in range(size // 20)]}}),
    ),
)
_schema_text(
    "schema: fields that are missing from a long text",
    lambda size: _held(
        {"a": "x" * (size // 2)}, _of_x({"required": [f"f{n}" for n in range(size // 20)]})
    ),
)
_schema_text(
    "schema: fields that depend on one",
    lambda size: _held(
        {"a": "x" * (size // 2)},
        _of_x({"dependentRequired": {"a": [f"f{n}" for n in range(size // 20)]}}),
    ),
)
_schema_text(
    "schema: a part twice, again and again",
    lambda size: _held(
        "a" * size,
        {
            "properties": {"x": {"$ref": "#/$defs/d60"}},
            "$defs": {"d0": {"type": "string"}}
            | {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n - 1}"}] * 2} for n in range(1, 61)},
        },
    ),
)
_schema_text(
    "schema: many properties at every depth",
    lambda size: _held(
        json.loads('{"a":' * 100 + "1" + "}" * 100),
        {
            "properties": {f"a{n}": {"type": "string"} for n in range(size // 30)},
            "additionalProperties": {"$ref": "#"},
        },
    ),
)
_schema_text(
    "schema: companions for every depth",
    lambda size: _held(
        json.loads("[" * 100 + "1" + "]" * 100),
        {
            "patternProperties": {f"^a{n}$": {"type": "string"} for n in range(size // 40)},
            "items": {"$ref": "#"},
        },
    ),
)
_schema_text(
    "schema: unevaluated at every depth",
    lambda size: _held(
        [{"a": n} for n in range(size // 12)],
        _of_x(
            {
                "items": {
                    "allOf": [{"properties": {"b": True}}] * 20,
                    "unevaluatedProperties": {"type": "integer"},
                }
            }
        ),
    ),
)
_schema_text(
    "schema: an alias of a long text",
    lambda size: (
        f"# yaml-language-server: $schema=schema.json\na: &a {'x' * (size // 2)}\nx:\n"
        + "- *a\n" * (size // 10),
        json.dumps(_of_x({"items": {"type": "integer"}})),
    ),
)
_schema_text(
    "schema: wrong values",
    lambda size: _held(["a"] * (size // 5), _of_x({"items": {"type": "integer"}})),
)
_schema_text(
    "schema: none of many forms",
    lambda size: _held(
        ["a"] * (size // 5), _of_x({"items": {"anyOf": [{"type": "integer"}] * 50}})
    ),
)


# --- differences of lines -------------------------------------------------------------------------

_LINES: Final[tuple[Door, ...]] = ("diff", "merge")


@_hostile("lines: blank ones", *_LINES)
def _blank_lines(size: int) -> Texts:
    return "\n" * size, "\n" * (size + 1), "\n" * (size - 1) + "a\n"


@_hostile("lines: half of each text is in the other", *_LINES, settles=20_000)
def _crafted_lines(size: int) -> Texts:
    count = max(2, size // 5)
    forth = "".join(f"{n % 997}\n" for n in range(count))
    back = "".join(f"{(count - n) * 7 % 997}\n" for n in range(count))
    return forth, back, forth[::-1]


@_hostile("lines: in the other order", *_LINES, settles=20_000)
def _reversed_lines(size: int) -> Texts:
    lines = [f"{n}\n" for n in range(size // 6)]
    return "".join(lines), "".join(lines[::-1]), "".join(lines[1::2] + lines[::2])


@_hostile("lines: two kinds that alternate", *_LINES, settles=20_000)
def _alternating_lines(size: int) -> Texts:
    return "a\nb\n" * (size // 4), "b\na\n" * (size // 4), "a\na\nb\n" * (size // 6)


@_hostile("lines: groups which slide", *_LINES)
def _sliding_lines(size: int) -> Texts:
    return "a\n" * (size // 2), "a\n" * (size // 2) + "b\n" + "a\n" * 9, "a\n" * (size // 4)


@_hostile("lines: groups which slide, many of them", *_LINES)
def _many_sliding_lines(size: int) -> Texts:
    root = max(2, int((size // 4) ** 0.5))
    block = "a\n" * root + "b\n"
    return block * root, ("a\n" * (root + 1) + "b\n") * root, block * root + "c\n"


@_hostile("lines: one line", *_LINES)
def _single_line(size: int) -> Texts:
    return "x" * size, "x" * size + "y", "y" + "x" * size


@_hostile("lines: changes that touch", *_LINES, "drift")
def _touching_lines(size: int) -> Texts:
    lines = [f"k{n}: a\n" for n in range(size // 9)]
    theirs = [line.replace("a", "b") if n % 2 else line for n, line in enumerate(lines)]
    mine = [line if n % 2 else line.replace("a", "c") for n, line in enumerate(lines)]
    return "".join(lines), "".join(theirs), "".join(mine)


@_hostile("lines: changes far from one another", *_LINES, "drift")
def _distant_lines(size: int) -> Texts:
    lines = [f"k{n}: a\n" for n in range(size // 9)]
    theirs = [line.replace("a", "b") if n % 20 == 0 else line for n, line in enumerate(lines)]
    mine = [line.replace("a", "c") if n % 20 == 10 else line for n, line in enumerate(lines)]
    return "".join(lines), "".join(theirs), "".join(mine)
