"""How many examples a property is tested with: some in every run, more with `make properties`."""

import os
from typing import Final

ALL: Final = bool(os.environ.get("ALL_EXAMPLES"))
EXAMPLES: Final = 2000 if ALL else 48
#: Of properties that ask for no number.
USUAL: Final = 100 if ALL else 25
