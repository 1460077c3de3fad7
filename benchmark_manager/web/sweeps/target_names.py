"""Short names of what a target sets."""

from typing import Final

from benchmark_manager.domain.edits.path_text import (
    FlagStep,
    KeyStep,
    NamedStep,
    PathSyntaxError,
    last_steps,
)

_LONGEST_NAME: Final = 100


def last_name(path: str) -> str:
    """Return the last key or flag of a path; "" if there is none that can be shown.

    >>> last_name('limits."nvidia.com/gpu"'), last_name("args[--max-num-seqs]")
    ('nvidia.com/gpu', 'max-num-seqs')
    """
    try:
        steps = last_steps(path)
    except PathSyntaxError:
        return ""
    for step in reversed(steps):
        if isinstance(step, FlagStep):
            return step.flag.strip("-")[:_LONGEST_NAME]
        if isinstance(step, (KeyStep, NamedStep)):
            return step.text.strip()[:_LONGEST_NAME] if step.text.isprintable() else ""
    return ""
