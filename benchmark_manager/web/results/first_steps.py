"""The commands that lead to a project's first result."""

from dataclasses import dataclass
from typing import Final

from benchmark_manager.web.site.pull_commands import pull_command, upload_command

_FILE: Final = "result.json"


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """Commands that download a release, measure, and upload what came out."""

    digest: str
    pull: str
    measure: str
    upload: str

    @classmethod
    def of(cls, digest: str, service_url: str) -> "FirstSteps":
        return cls(
            digest=digest,
            pull=pull_command(digest, service_url),
            measure=f"vllm bench serve --model MODEL --save-result --result-filename {_FILE}",
            upload=upload_command(digest, _FILE, service_url),
        )
