"""Texts whose differences by line cost much."""

from typing import Final

from support.hostile.text import HostileTexts, Operation, Texts

TEXTS: Final = HostileTexts()

_LINES: Final[tuple[Operation, ...]] = ("diff", "merge")


@TEXTS.made_by("lines: blank ones", *_LINES)
def _blank_lines(size: int) -> Texts:
    return "\n" * size, "\n" * (size + 1), "\n" * (size - 1) + "a\n"


@TEXTS.made_by("lines: half of each text is in the other", *_LINES, settles=20_000)
def _crafted_lines(size: int) -> Texts:
    count = max(2, size // 5)
    forth = "".join(f"{n % 997}\n" for n in range(count))
    back = "".join(f"{(count - n) * 7 % 997}\n" for n in range(count))
    return forth, back, forth[::-1]


@TEXTS.made_by("lines: in the other order", *_LINES, settles=20_000)
def _reversed_lines(size: int) -> Texts:
    lines = [f"{n}\n" for n in range(size // 6)]
    return "".join(lines), "".join(lines[::-1]), "".join(lines[1::2] + lines[::2])


@TEXTS.made_by("lines: two kinds that alternate", *_LINES, settles=20_000)
def _alternating_lines(size: int) -> Texts:
    return "a\nb\n" * (size // 4), "b\na\n" * (size // 4), "a\na\nb\n" * (size // 6)


@TEXTS.made_by("lines: groups which slide", *_LINES)
def _sliding_lines(size: int) -> Texts:
    return "a\n" * (size // 2), "a\n" * (size // 2) + "b\n" + "a\n" * 9, "a\n" * (size // 4)


@TEXTS.made_by("lines: groups which slide, many of them", *_LINES)
def _many_sliding_lines(size: int) -> Texts:
    root = max(2, int((size // 4) ** 0.5))
    block = "a\n" * root + "b\n"
    return block * root, ("a\n" * (root + 1) + "b\n") * root, block * root + "c\n"


@TEXTS.made_by("lines: one line", *_LINES)
def _single_line(size: int) -> Texts:
    return "x" * size, "x" * size + "y", "y" + "x" * size


@TEXTS.made_by("lines: changes that touch", *_LINES, "drift")
def _touching_lines(size: int) -> Texts:
    lines = [f"k{n}: a\n" for n in range(size // 9)]
    theirs = [line.replace("a", "b") if n % 2 else line for n, line in enumerate(lines)]
    mine = [line if n % 2 else line.replace("a", "c") for n, line in enumerate(lines)]
    return "".join(lines), "".join(theirs), "".join(mine)


@TEXTS.made_by("lines: changes far from one another", *_LINES, "drift")
def _distant_lines(size: int) -> Texts:
    lines = [f"k{n}: a\n" for n in range(size // 9)]
    theirs = [line.replace("a", "b") if n % 20 == 0 else line for n, line in enumerate(lines)]
    mine = [line.replace("a", "c") if n % 20 == 10 else line for n, line in enumerate(lines)]
    return "".join(lines), "".join(theirs), "".join(mine)
