"""Every code that an error of the service can have, with its status and sentences."""

from collections.abc import Mapping
from typing import Final

from benchmark_manager.messages.catalogue import (
    backups,
    database,
    github,
    projects,
    releases,
    requests,
    variants,
)
from benchmark_manager.messages.message import Message

CATALOGUE: Final[Mapping[str, Message]] = {
    **requests.MESSAGES,
    **projects.MESSAGES,
    **variants.MESSAGES,
    **releases.MESSAGES,
    **github.MESSAGES,
    **database.MESSAGES,
    **backups.MESSAGES,
}
