"""Every code that an error of the service can have, with its status and sentences."""

from collections.abc import Mapping
from typing import Final

from benchmark_manager.messages.catalogue import (
    access,
    backups,
    database,
    github,
    projects,
    receipts,
    releases,
    requests,
    result_tables,
    results,
    sign_in,
    sweep_edits,
    sweeps,
    variants,
)
from benchmark_manager.messages.message import Message

CATALOGUE: Final[Mapping[str, Message]] = {
    **requests.MESSAGES,
    **projects.MESSAGES,
    **variants.MESSAGES,
    **releases.MESSAGES,
    **results.MESSAGES,
    **receipts.MESSAGES,
    **result_tables.MESSAGES,
    **sweeps.MESSAGES,
    **sweep_edits.MESSAGES,
    **github.MESSAGES,
    **access.MESSAGES,
    **database.MESSAGES,
    **backups.MESSAGES,
    **sign_in.MESSAGES,
}
