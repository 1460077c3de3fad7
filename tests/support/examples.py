"""How many examples a property of merging is held against: a part of them in every run, all with `make properties`."""

import os
from typing import Final

ALL: Final = bool(os.environ.get("ALL_EXAMPLES"))
EXAMPLES: Final = 2000 if ALL else 150
