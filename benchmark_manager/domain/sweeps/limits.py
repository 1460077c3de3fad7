"""How large a sweep may be. What has no limit of its own is limited by the definition's size."""

from typing import Final

#: Cells of one generation that are not retired.
MOST_CELLS: Final = 1000
#: Index of a cell: a sweep keeps its retired cells, but never has so many.
LARGEST_INDEX: Final = 999_999_999
#: Combinations that are built at most to find out what `exclude` leaves of them.
MOST_COMBINATIONS: Final = 20_000
#: Characters of a definition: of all its texts, and a few for each value.
LONGEST_DEFINITION: Final = 1_000_000
#: Levels of lists and objects in a definition.
DEEPEST_DEFINITION: Final = 50
#: Bits of a whole number: a little over 300 digits, as many as a floating point number may have.
MOST_BITS: Final = 1024
MOST_FILES: Final = 50
MOST_AXES: Final = 50
#: Values or points of an axis, and entries of `exclude` and of `include`.
MOST_VALUES: Final = 1000
#: Values that one combination sets, over all axes.
MOST_SETTINGS: Final = 200
#: Values times targets, over all axes of values: a worker process sends the plan to the service,
#: which takes 6 microseconds for each.
MOST_AXIS_SETTINGS: Final = 50_000
#: Characters of one combination's values as JSON; they are stored with every cell.
LONGEST_ASSIGNMENTS: Final = 16_384
#: Characters of the values of all combinations as JSON in ASCII; equal cells are one document.
MOST_ASSIGNED: Final = 5_000_000
MOST_REPEATS: Final = 1000
LONGEST_ALIAS: Final = 100
