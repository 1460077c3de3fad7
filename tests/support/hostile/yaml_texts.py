"""YAML that costs much by its syntax, directives, characters or values."""

from typing import Final

from support.hostile.text import READS, HostileTexts, cut, numbered, repeated

TEXTS: Final = HostileTexts()

TEXTS.add(
    "yaml: many %TAG lines",
    *READS,
    "merge",
    make=lambda size: numbered("%TAG !a{n}! x\n")(size) + "--- a\n",
)
TEXTS.add(
    "yaml: a few long %TAG lines, used by every node",
    *READS,
    "variants",
    make=lambda size: (
        "".join(f"%TAG !{n}! {'x' * 2000}\n" for n in range(3))
        + "---\n"
        + "- !2!x a\n" * (size // 9)
    ),
)
TEXTS.add(
    "yaml: %TAG lines up to the limit, used by every node",
    *READS,
    "variants",
    make=lambda size: (
        "".join(f"%TAG !{n}! {'x' * 250}\n" for n in range(16))
        + "---\n"
        + "- !15!x a\n" * (size // 10)
    ),
)
TEXTS.add(
    "yaml: a %TAG line for each document", *READS, make=numbered("%TAG !a{n}! x\n--- a\n...\n")
)
_PRIVATE: Final = "".join(map(chr, range(0x100000, 0x10FFFE)))
TEXTS.add(
    "yaml: every private character and a line separator",
    *READS,
    "compare",
    "merge",
    make=lambda size: f'a: "{_PRIVATE}\u2028"\nb: "{cut(_PRIVATE * (size // 65_000 + 1), size)}"\n',
    settles=70_000,
)
TEXTS.add(
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
    TEXTS.add(f"yaml: {_label}", *READS, "merge", make=repeated(_piece))
TEXTS.add("yaml: doubtful values", *READS, "variants", make=repeated("- 010\n"))
TEXTS.add("yaml: values which are not finite", *READS, "variants", make=repeated("- .inf\n"))
TEXTS.add("yaml: dates which are none", *READS, "variants", make=repeated("- 2024-99-99\n"))
TEXTS.add("yaml: a date without end", *READS, make=lambda size: f"a: 2024-99-99 0{'x' * size}\n")
TEXTS.add("yaml: keys that are no strings", *READS, "compare", make=numbered("{n}: a\n"))
TEXTS.add("yaml: one key many times", *READS, make=repeated("a: b\n"))
TEXTS.add("yaml: unknown aliases", *READS, make=repeated("- *a\n"))
TEXTS.add(
    "yaml: aliases of one anchor",
    *READS,
    "job",
    "variants",
    make=lambda size: "- &a b\n" + "- *a\n" * (size // 5),
)
TEXTS.add("yaml: a digit without end", *READS, "variants", make=lambda size: f"a: {'9' * size}\n")
TEXTS.add(
    "yaml: hexadecimal digits without end",
    *READS,
    "variants",
    make=lambda size: f"a: 0x{'f' * size}\n",
)
TEXTS.add(
    "yaml: base 60 without end",
    *READS,
    "variants",
    make=lambda size: f"a: 1{':59' * (size // 3)}\n",
)
TEXTS.add(
    "yaml: base 60 that is none",
    *READS,
    "variants",
    make=lambda size: f"a: 1{':59' * (size // 3)}x\n",
)
TEXTS.add(
    "yaml: a fraction without end", *READS, "variants", make=lambda size: f"a: 0.{'1' * size}\n"
)
TEXTS.add(
    "yaml: underscores in a number", *READS, "variants", make=lambda size: f"a: 1{'_' * size}\n"
)
TEXTS.add(
    "yaml: a block without end",
    *READS,
    "compare",
    "variants",
    make=lambda size: "a: |\n" + "  x\n" * (size // 4),
)
TEXTS.add("yaml: many blocks", *READS, "compare", "variants", make=numbered("k{n}: |+\n  x\n\n\n"))
TEXTS.add(
    "yaml: folded lines", *READS, "variants", make=lambda size: "a: >\n" + "  x\n\n" * (size // 5)
)
TEXTS.add(
    "yaml: a plain text of many lines",
    *READS,
    "variants",
    make=lambda size: "a: x\n" + "  x\n" * (size // 4),
)
TEXTS.add(
    "yaml: escapes",
    *READS,
    "variants",
    make=lambda size: f'a: "{chr(92) + "x41"}'.ljust(8) + "\\x41" * (size // 4) + '"\n',
)
TEXTS.add("yaml: NUL escapes", *READS, make=repeated('- "\\0"\n'))
TEXTS.add(
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
TEXTS.add("yaml: collections as keys", *READS, "compare", make=numbered("? [a, b, {n}]\n: c\n"))
TEXTS.add("yaml: equal collections as keys", *READS, make=repeated("? [a, b, c]\n: c\n"))
TEXTS.add("yaml: templates without an end behind values", *READS, make=repeated("- a {{ b\n"))
TEXTS.add("yaml: braces of CI", *READS, make=repeated("- ${{ a\n"))
TEXTS.add("yaml: mappings in braces", *READS, make=repeated("- {{a: b}: c}\n"))
TEXTS.add(
    "yaml: kinds at the margin that do not parse",
    "sync",
    make=lambda size: "\t" + "kind: \n" * (size // 7),
)
TEXTS.add("yaml: a kind with endless blanks", "sync", make=lambda size: f"\t\nkind{' ' * size}x")
TEXTS.add(
    "yaml: anchors of bombs",
    *READS,
    make=lambda size: "a0: &a0 x\n" + numbered("a{n}: &b{n} [*a0, *a0]\n")(size),
)
