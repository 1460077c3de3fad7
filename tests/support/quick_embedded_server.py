"""The embedded database's server without a library that takes a third of its start.

It needs shapely, which imports NumPy, for geometries alone, and no service stores any.
"""

import sys
from pathlib import Path
from typing import Final

_PROGRAM: Final = """\
#!{python}
import sys, types

class Unused(types.ModuleType):
    __path__ = ()

    def __getattr__(self, name):
        return type(name, (), {{}})

for name in ("shapely", "shapely.errors", "shapely.geometry", "shapely.geometry.base"):
    sys.modules[name] = Unused(name)

from secantus.cli import main
sys.exit(main())
"""


def quick_server(folder: Path) -> str:
    """Write its program into a folder, and return the path."""
    program = folder / "server-without-geometries"
    program.write_text(_PROGRAM.format(python=sys.executable))
    program.chmod(0o755)
    return str(program)
