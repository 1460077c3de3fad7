"""Which combinations `exclude` removes.

A set of entries is a set of bits. Each value has the entries that agree with it: those that name
this value of its axis, or not this axis at all. A combination is removed if an entry agrees with
all of its values.
"""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import and_, or_

from benchmark_manager.domain.sweeps.choices import Choice
from benchmark_manager.domain.sweeps.values import value_key
from benchmark_manager.models.sweep import Assignments


class Exclusion:
    """The entries of `exclude`, by the values that agree with them."""

    def __init__(self, entries: Sequence[Assignments], axes: Sequence[str]) -> None:
        """Read the entries; `axes` are the names of the axes, in their order."""
        self.every = (1 << len(entries)) - 1
        self._others = [self.every] * len(axes)
        self._naming: list[dict[str, int]] = [{} for _ in axes]
        positions = {name: position for position, name in enumerate(axes)}
        for number, entry in enumerate(entries):
            bit = 1 << number
            for name, value in entry.items():
                naming, key = self._naming[positions[name]], value_key(value)
                naming[key] = naming.get(key, 0) | bit
                self._others[positions[name]] &= ~bit

    def agreeing(self, position: int, choice: Choice) -> int:
        """Return the entries that agree with a choice of the axis at a position."""
        return self._naming[position].get(choice.key, 0) | self._others[position]

    def undecided(self, positions: Iterable[int]) -> int:
        """Return the entries that name any of the axes at these positions."""
        return self.every & ~reduce(and_, (self._others[at] for at in positions), self.every)

    def of_combination(self, combination: Sequence[Choice]) -> int:
        """Return the entries that agree with every choice of a combination."""
        agreeing = (self.agreeing(at, choice) for at, choice in enumerate(combination))
        return reduce(and_, agreeing, self.every)

    def of_product(self, columns: Sequence[Sequence[Choice]]) -> int:
        """Return the entries that agree with any combination of the product of these choices."""
        entries = self.every
        for position, column in enumerate(columns):
            entries &= reduce(or_, (self.agreeing(position, choice) for choice in column), 0)
        return entries
