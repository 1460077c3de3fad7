"""What a hostile text is, and how one is made in any size."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from benchmark_manager.models.original import FileFormat

Operation: TypeAlias = Literal[
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
"""What the service does with a text.

`validate`: check YAML or JSON. `job`: check a manifest with Kubernetes' schemas. `schema`: check
settings (the first text) with the schema that they name (the second). `gpu`: check a manifest with
the settings that it names. `sync`: read a file for the first time, with its verdict. `diff`: make a
patch. `compare`: compare by key. `variants`: make the table of an original and its variants.
`merge`: merge three. `drift`: merge 25 variants of one original. `search`: find text, keys and
values in it.
"""

Texts: TypeAlias = tuple[str, ...]
"""One to three: the original (base), what upstream made of it (theirs), a variant (mine)."""

READS: Final[tuple[Operation, ...]] = ("validate", "sync", "search")
PAIRS: Final[tuple[Operation, ...]] = ("diff", "compare", "variants", "merge")


@dataclass(frozen=True, slots=True)
class HostileText:
    """A named generator; `make(size)` gives texts of about `size` characters in all."""

    name: str
    operations: tuple[Operation, ...]
    """Those that the text attacks."""
    make: Callable[[int], Texts]
    format: FileFormat = "yaml"
    settles: int = 0
    """Characters up to which a fixed budget is being spent, so that the cost grows faster.

    0: nowhere.
    """


class HostileTexts:
    """The hostile texts of one module, in the order in which they were added."""

    def __init__(self) -> None:
        self._texts: list[HostileText] = []

    def __iter__(self) -> Iterator[HostileText]:
        return iter(self._texts)

    def add(
        self,
        name: str,
        *operations: Operation,
        make: Callable[[int], str],
        format: FileFormat = "yaml",  # noqa: A002
        settles: int = 0,
    ) -> None:
        """Add a text that is hostile by itself."""
        self.made_by(name, *operations, format=format, settles=settles)(lambda size: (make(size),))

    def made_by(
        self,
        name: str,
        *operations: Operation,
        format: FileFormat = "yaml",  # noqa: A002
        settles: int = 0,
    ) -> Callable[[Callable[[int], Texts]], None]:
        """Return a decorator that adds what a function makes."""

        def add(make: Callable[[int], Texts]) -> None:
            self._texts.append(HostileText(name, operations, make, format, settles))

        return add


def repeated(piece: str) -> Callable[[int], str]:
    return lambda size: piece * max(1, size // len(piece))


def numbered(form: str) -> Callable[[int], str]:
    """Pieces in which `{n}` is a number of their own."""
    return lambda size: "".join(
        form.format(n=n) for n in range(max(1, size // len(form.format(n=10_000))))
    )


def cut(text: str, size: int) -> str:
    return text[: max(1, size)]


def sides(texts: Texts) -> tuple[str, str, str]:
    """Return base, theirs and mine.

    Those which are not given are the base with a line more at its beginning, or its end.
    """
    base = texts[0]
    theirs = texts[1] if len(texts) > 1 else f"\n{base}"
    mine = texts[2] if len(texts) > 2 else f"{base}\n"
    return base, theirs, mine
