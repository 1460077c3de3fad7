"""The repositories behind the kept databases of released versions, with the same commit ids."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from github_test_server import Entry, GitHubTestServer, Repository

BENCH: Final = "acme/bench"
TOOLS: Final = "acme/tools"
GONE: Final = "acme/gone"
TOKEN: Final = "ghp_0kept1in2every3version4"
SECRET_KEY: Final = "EztHq9a9Sl7DAfinw23_wSCENUqpAPSz7baZh9wKEKA="
WEBHOOK_SECRET: Final = "webhook-secret-of-the-kept-databases"
MAX_FILE_SIZE: Final = 2000
_BEGIN: Final = datetime(2026, 3, 1, tzinfo=UTC)

_A: Final = "# Llama\nmodel: llama\nbatch: 8\nlimits:\n  tokens: 100\n  seconds: 30\nlast: 1\n"
_JOB: Final = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: run
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: run
          image: example/run:1
          args: ["--config", "config/a.yaml"]
"""
_FIRST: Final[Mapping[str, bytes | Entry | None]] = {
    "config/a.yaml": _A.encode(),
    "config/b.yaml": b"batch: 1\nseed: 7\n",
    "config/deep/c.json": b'{\n  "model": "llama",\n  "batch": 4\n}\n',
    "config/gone.yaml": b"gone: soon\n",
    "config/old-name.yaml": b"kept: the same\nwhatever: its name\n",
    "config/template.yaml": b"model: {{ model }}\n",
    "config/broken.yaml": b"a: 1\na: 2\n  b: [\n",
    "config/gr\u00f6\u00dfe \U0001f680.yaml": b"\xef\xbb\xbfa: 3\r\nb: no\r\n",
    "config/large.yaml": b"# large\n" * 300,
    "config/binary.yaml": b"a: \x00\n",
    "config/link.yaml": Entry.symlink("a.yaml"),
    "job/run.yaml": _JOB.encode(),
}
_SECOND: Final[Mapping[str, bytes | Entry | None]] = {
    "config/a.yaml": _A.replace("batch: 8", "batch: 16")
    .replace("last: 1", "last: 1\nadded: true")
    .encode(),
    "config/gone.yaml": None,
    "config/old-name.yaml": None,
    "config/new-name.yaml": b"kept: the same\nwhatever: its name\n",
}
_THIRD: Final[Mapping[str, bytes | Entry | None]] = {
    "config/b.yaml": b"batch: 2\nseed: 7\n",
    "config/new.yaml": b"new: 1\n",
}
_TOOLS: Final[Mapping[str, bytes | Entry | None]] = {
    **{f"config/{n}.yaml": f"number: {n}\n".encode() for n in range(3)}
}
_STEPS: Final = (_FIRST, _SECOND, _THIRD)


class OldRepositories:
    """`acme/bench`, private to `TOKEN`, after some of three commits, and `acme/tools` with one."""

    def __init__(self, github: GitHubTestServer, folder: Path, commits: int = 1) -> None:
        self._bench = Repository.init(folder / "bench.git")
        self._made = 0
        for _ in range(commits):
            self.advance()
        tools = Repository.init(folder / "tools.git")
        tools.commit(dict(_TOOLS), message="first", date=_BEGIN)
        github.add(BENCH, self._bench, private_to=[TOKEN])
        github.add(TOOLS, tools)
        github.limits.set(TOKEN, limit=10**6, remaining=10**6)
        github.limits.set(TOKEN, limit=10**6, remaining=10**6, resource="graphql")
        github.limits.set(None, limit=10**6, remaining=10**6)

    def advance(self) -> str:
        """Make the next commit of `acme/bench`; its id."""
        when = _BEGIN + timedelta(hours=self._made)
        sha = self._bench.commit(
            dict(_STEPS[self._made]), message=f"step {self._made + 1}", date=when
        )
        self._made += 1
        return sha
