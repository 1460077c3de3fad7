"""Resources that processes used, from Linux' /proc.

Source: https://man7.org/linux/man-pages/man5/proc.5.html
"""

import os
from pathlib import Path
from typing import Final

_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")
#: Positions in /proc/PID/stat after the command's name, which may have spaces.
_USER_TICKS: Final = 11
_SYSTEM_TICKS: Final = 12


def cpu_seconds(pid: int) -> float:
    """Return the processor time of all threads since the process began, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[_USER_TICKS]) + int(fields[_SYSTEM_TICKS])) / _TICKS_A_SECOND


def peak_memory(pid: int) -> int:
    """Return the most bytes that were resident since the process began."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(next(row.split()[1] for row in text.splitlines() if row.startswith("VmHWM"))) * 1024


def descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid for child in children for pid in (int(child), *descendants(int(child)))]
