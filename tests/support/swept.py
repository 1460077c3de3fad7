"""A project with a config and a Job, and sweeps of them."""

from dataclasses import dataclass
from typing import Any, Final

from github_test_server import Repository
from support.service import Json, Service

ENGINE: Final = b"""\
# The engine.
engine:
  max_num_seqs: 128   # per GPU
  tensor_parallel_size: 1
  dtype: 'auto'
"""
JOB: Final = b"""\
apiVersion: batch/v1
kind: Job
metadata: {name: bench}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: server
          image: vllm
          args: ["--tensor-parallel-size", "1", "--seed=7"]
"""
NAME: Final = "acme/swept"
FILES: Final = {
    "config/engine.yaml": ENGINE,
    "config/other.json": b'{"a": 1}\n',
    "config/template.yaml": b"a: {{ .Values.a }}\n",
    "job/bench.yaml": JOB,
}
SEQS: Final = "engine:engine.max_num_seqs"
FLAG: Final = "job:spec.template.spec.containers[name=server].args[--tensor-parallel-size]"
DEFINITION: Final[Json] = {
    "name": "batch and parallelism",
    "files": {"engine": "config/engine.yaml", "job": "job/bench.yaml"},
    "axes": [
        {"name": "seqs", "set": SEQS, "values": [128, 256]},
        {
            "name": "tp",
            "points": [
                {"name": f"tp{n}", "set": {"engine:engine.tensor_parallel_size": n, FLAG: n}}
                for n in (1, 2)
            ],
        },
    ],
}


def sizes(*values: object, **changes: Any) -> Json:
    """Return a sweep of one file, one cell for each value."""
    axis = {"name": "seqs", "set": SEQS, "values": list(values)}
    files = {"engine": "config/engine.yaml"}
    return {"name": "sizes", "files": files, "axes": [axis], **changes}


@dataclass(frozen=True)
class SweptProject:
    """A synced project of a running service."""

    service: Service
    repository: Repository
    id: str

    @property
    def home(self) -> str:
        return f"/projects/{self.id}"

    async def sweep(self, definition: Json = DEFINITION) -> Json:
        return await self.service.post(f"{self.home}/sweeps", definition, 201)

    async def preview(self, definition: Json = DEFINITION) -> Json:
        return await self.service.post(f"{self.home}/sweeps?dry_run=true", definition, 200)

    async def again(self, sweep: Json) -> Json:
        return await self.service.get(f"/sweeps/{sweep['id']}")

    async def change(self, sweep: Json, definition: Json) -> Json:
        return await self.service.put(f"/sweeps/{sweep['id']}", definition)

    async def rebase(self, sweep: Json, status: int = 200) -> Json:
        return await self.service.post(f"/sweeps/{sweep['id']}/rebase", None, status)

    async def cells(self, sweep: Json, **params: Any) -> list[Json]:
        return await self.service.rows(f"/sweeps/{sweep['id']}/cells", **params)

    async def indexes(self, sweep: Json, **params: Any) -> list[int]:
        return [cell["index"] for cell in await self.cells(sweep, **params)]

    async def text(self, cell: Json, path: str) -> bytes:
        answer = await self.service.http.get(f"/releases/{cell['digest']}/files/{path}")
        assert answer.status_code == 200, answer.text
        return answer.content

    async def upstream(self, files: dict[str, bytes | None]) -> None:
        """Sync a commit that changes these files, and removes those without bytes."""
        self.repository.commit(dict(files), message="changed")
        await self.service.sync(self.id)


async def swept_project(service: Service) -> SweptProject:
    """Return a new project."""
    repository = service.repository(NAME, FILES)
    return SweptProject(service, repository, (await service.synced(NAME))["id"])
