"""YAML that costs much where two texts are compared, or three are merged."""

from typing import Final

from support.hostile.text import READS, HostileTexts, Texts

TEXTS: Final = HostileTexts()


@TEXTS.made_by("yaml: merge keys of one large mapping", *READS, "job", settles=15_000)
def _merge_keys(size: int) -> Texts:
    keys = "".join(f"  k{n}: v\n" for n in range(size // 20))
    return (f"a: &a\n{keys}" + "".join(f"b{n}: {{<<: *a}}\n" for n in range(size // 30)),)


@TEXTS.made_by("yaml: a deep line of items", *READS, "compare", "variants", "merge")
def _deep_items(size: int) -> Texts:
    return ("[" * 190 + ", ".join(f"a{n}" for n in range(size // 8)) + "]" * 190 + "\n",)


@TEXTS.made_by("yaml: long keys above many values", "compare", "variants", "merge")
def _long_keys(size: int) -> Texts:
    keys = "".join(f"{' ' * n}{'k' * 500}{n}:\n" for n in range(size // 5_000))
    depth = size // 5_000
    items = "".join(f"{' ' * depth}- a{n}\n" for n in range(size // 2 // (depth + 10)))
    return keys + items, keys + items.replace("a", "b"), keys + items.replace("a", "c")


@TEXTS.made_by("yaml: values on one line", "variants", "compare", "merge", "drift")
def _one_line(size: int) -> Texts:
    line = ", ".join(f"a{n}: b" for n in range(size // 11))
    return f"x: {{{line}}}\n", f"x: {{{line}, z: 1}}\n", f"x: {{y: 1, {line}}}\n"


@TEXTS.made_by("yaml: another last value of a line", "variants", "compare", "merge", "drift")
def _last_value(size: int) -> Texts:
    line = ", ".join(f"a{n}: b" for n in range(size // 11))
    return f"x: {{{line}, z: b}}\n", f"x: {{{line}, z: c}}\n", f"x: {{{line}, z: d}}\n"


@TEXTS.made_by("yaml: every value of a line is another one", "variants", "compare", "merge")
def _all_values(size: int) -> Texts:
    line = ", ".join(f"a{n}: b" for n in range(size // 11))
    return (
        f"x: {{{line}}}\n",
        f"x: {{{line.replace(': b', ': c')}}}\n",
        f"x: {{{line.replace(': b', ': d')}}}\n",
    )


@TEXTS.made_by("yaml: every other value of a line is another one", "merge", "drift")
def _other_values(size: int) -> Texts:
    lines = [
        ", ".join(f"a{n}: {'x' if n % 2 == odd else 'b'}" for n in range(size // 11))
        for odd in (2, 0, 1)
    ]
    return f"x: {{{lines[0]}}}\n", f"x: {{{lines[1]}}}\n", f"x: {{{lines[2]}}}\n"


@TEXTS.made_by("yaml: a wide indentation and short comments", "variants", "compare", "merge")
def _wide_indentation(size: int) -> Texts:
    column = " " * (size // 4)
    return (f"a:\n{column}- b\n" + "#-\n" * (size // 6) + f"{column}- c\n",)


@TEXTS.made_by("yaml: theirs goes far to the right", "merge")
def _far_right(size: int) -> Texts:
    column = " " * (size // 6)
    base = "a:\n  b: 1\n  c: 2\n"
    theirs = f"a:\n{column}b: 1\n{column}c: 2\n"
    mine = base + "".join(f"  k{n}: x\n" for n in range(size // 20))
    return base, theirs, mine


@TEXTS.made_by("yaml: both insert equal items", "merge", "compare", "drift")
def _equal_items(size: int) -> Texts:
    base = "- a\n" * (size // 4)
    return base, base + "- a\n", f"- a\n{base}"


@TEXTS.made_by("yaml: periodic items", "merge", "compare", settles=20_000)
def _periodic_items(size: int) -> Texts:
    base = "- a\n- b\n- a\n- c\n" * (size // 16)
    return base, base.replace("- c\n", "- c\n- a\n"), base.replace("- b\n", "")


@TEXTS.made_by(
    "yaml: items by name in another order", "merge", "compare", "variants", settles=20_000
)
def _named_items(size: int) -> Texts:
    items = [f"- name: n{n}\n  v: 1\n" for n in range(size // 22)]
    return "".join(items), "".join(items[::-1]), "".join(items[1:] + items[:1])


@TEXTS.made_by("yaml: all items renamed", "merge", "compare")
def _renamed_items(size: int) -> Texts:
    items = [f"- name: n{n}\n  v: 1\n" for n in range(size // 22)]
    return (
        "".join(items),
        "".join(items).replace(": n", ": m"),
        "".join(items).replace("v: 1", "v: 2"),
    )


@TEXTS.made_by("yaml: documents that change places", "merge", "compare", "job")
def _documents(size: int) -> Texts:
    made = [f"---\nkind: Job\nmetadata: {{name: j{n}}}\nspec: {{}}\n" for n in range(size // 50)]
    return "".join(made), "".join(made[::-1]), "".join(made[1:])


@TEXTS.made_by("yaml: mappings which hash alike", "compare", "merge", "variants")
def _alike(size: int) -> Texts:
    pairs = ("{a: 1, b: 2}", "{a: 2, b: 1}", "{b: 2, a: 1}")
    return ("".join(f"- {pairs[n % 3]}\n" for n in range(size // 15)),)


@TEXTS.made_by("yaml: a comment above and below each change", "merge")
def _comments(size: int) -> Texts:
    base = "".join(f"# x\nk{n}: 1\n  # y\n" for n in range(size // 18))
    return base, base.replace(": 1", ": 2", size // 50), base + "z: 1\n"


@TEXTS.made_by("yaml: comments that have no position in theirs", "merge")
def _comments_without_position(size: int) -> Texts:
    items = [f"i{n}" for n in range(size // 30)]
    base, mine = (
        "a:\n" + "".join(f"- {item}{tail}\n" for item in items) for tail in ("", "  # {n}")
    )
    return f"{base}z: 1\n", f"a: [{', '.join(items)}]\nz: 2\n", f"{mine}z: 1\n"


@TEXTS.made_by("yaml: comments between documents that both changed", "merge")
def _comments_between(size: int) -> Texts:
    comments = "# x\n" * (size // 20)
    return (
        f"a: 1\n{comments}---\nb: 1\n",
        f"a: 2\n# y\n{comments}---\nb: 2\n",
        f"a: 3\n# z\n{comments}# v\n---\nb: 1\n",
    )


@TEXTS.made_by("yaml: a comment of mine at every line that upstream indented", "merge", "drift")
def _comments_of_mine(size: int) -> Texts:
    base = "a:\n" + "".join(f"  k{n}: 1\n" for n in range(size // 40))
    return (
        base,
        base.replace("  k", "    k"),
        base.replace(": 1\n", ": 2  # why\n").replace("  k", "  # up\n  k"),
    )


@TEXTS.made_by("yaml: a key without end above comments", "merge")
def _comments_below_long_key(size: int) -> Texts:
    base = f"{'k' * (size // 8)}:\n" + "".join(f"  k{n}: 1\n" for n in range(size // 40))
    return base, base.replace(": 1", ": {v: 1}"), base.replace(": 1\n", ": 1  # why\n")


@TEXTS.made_by("yaml: quotes around every value", "merge")
def _quotes(size: int) -> Texts:
    base = "".join(f"k{n}: 1\n" for n in range(size // 24))
    return base, base.replace(": 1", ': "1"'), base.replace(": 1", ": 2")


@TEXTS.made_by("yaml: both remove items between brackets", "merge")
def _brackets(size: int) -> Texts:
    items = [f"a{n}" for n in range(size // 8)]
    return tuple(f"x: [{', '.join(some)}]\n" for some in (items, items[::2], items[1:]))


@TEXTS.made_by("yaml: multi-line strings that both change", "merge")
def _long_strings(size: int) -> Texts:
    base = "".join(f"k{n}: |\n  a\n  b\n  c\n" for n in range(size // 20))
    return base, base.replace("  a\n", "  x\n"), base.replace("  c\n", "  y\n")
