"""Commands that wait until somebody confirms them in a browser."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from support.process import ROOT, environment

PAGE: Final = re.compile(r"http://\S+/ui/command-line\?\S+")


@dataclass
class Waiting:
    """A command that waits for a browser."""

    process: asyncio.subprocess.Process
    #: The page that it names, without scheme and host.
    page: str
    check: str

    async def ended(self) -> tuple[int, str, str]:
        """Wait for its end; return its exit code and what it wrote since."""
        out, err = await asyncio.wait_for(self.process.communicate(), 60)
        assert self.process.returncode is not None
        return self.process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def waiting_command(url: str, config: Path, *arguments: str) -> AsyncIterator[Waiting]:
    """A command that has printed its page."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmark_manager", *arguments, "--no-browser"),
        cwd=config,
        env=environment(pythonpath=ROOT, benchmark_manager_url=url, xdg_config_home=config),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        shown = ""
        while "check:" not in shown:
            line = await asyncio.wait_for(process.stderr.readline(), 60)
            assert line, shown
            shown += line.decode()
        found = PAGE.search(shown)
        assert found is not None
        address = urlsplit(found[0])
        yield Waiting(process, f"{address.path}?{address.query}", shown.split()[-1])
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
