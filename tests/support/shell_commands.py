"""A Python for shells that starts modules as forks: a new one takes longer than they run.

with forking_python(folder) as python:
    subprocess.run(["sh", "-c", f"{python} -m benchmark_manager version"])
"""

import ast
import os
import socket
import socketserver
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from support.forks import origin
from support.waiting import GENEROUS

_DESCRIPTORS: Final = 3
_MOST_BYTES: Final = 65_536
#: Without the modules that Python imports at its start. A module has to be where a new Python would
#: find it.
_PROGRAM: Final = """\
#!{python} -IS
import os, sys
from _socket import AF_UNIX, SCM_RIGHTS, SHUT_WR, SOL_SOCKET, socket
option, module, *arguments = sys.argv[1:]
assert option == "-m", option
folders = [os.getcwd(), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
if not any(os.path.isdir(os.path.join(folder, *module.split(".")[:1])) for folder in folders):
    sys.exit("No module named " + module)
connection = socket(AF_UNIX)
connection.connect({address!r})
streams = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
order = ascii(([module, *arguments], os.getcwd(), dict(os.environ))).encode()
sent = connection.sendmsg([order], [(SOL_SOCKET, SCM_RIGHTS, streams)])
connection.sendall(order[sent:])
connection.shutdown(SHUT_WR)
sys.exit(int(connection.recv(20)))
"""


class _Handler(socketserver.BaseRequestHandler):
    """Starts the module of one order, and sends its exit code."""

    def handle(self) -> None:
        order, streams, _, _ = socket.recv_fds(self.request, _MOST_BYTES, _DESCRIPTORS)
        while piece := self.request.recv(_MOST_BYTES):
            order += piece
        program, folder, variables = ast.literal_eval(order.decode())
        prepared = origin()
        assert prepared is not None
        try:
            process = prepared.fork(program, folder, variables, streams)
        finally:
            for descriptor in streams:
                os.close(descriptor)
        self.request.sendall(b"%d" % process.wait(GENEROUS))


@contextmanager
def forking_python(folder: Path) -> Iterator[Path]:
    """Write a program into a folder that runs `-m MODULE`, from forks where there are any."""
    program = folder / "python"
    if origin() is None:
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        program.chmod(0o755)
        yield program
        return
    address = folder / "orders"
    program.write_text(_PROGRAM.format(python=sys.executable, address=str(address)))
    program.chmod(0o755)
    with socketserver.ThreadingUnixStreamServer(str(address), _Handler) as server:
        serving = threading.Thread(target=server.serve_forever, args=[0.05])
        serving.start()
        try:
            yield program
        finally:
            server.shutdown()
            serving.join()
