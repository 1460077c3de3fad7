"""The rules of values that people and programs enter: how long a text may be, and what it may hold.

API shapes, forms of pages and the command line all take their limits from here. Lengths count
characters. Rules that need more than a length stand with their feature: folders, refs, patterns and
addresses in `domain/projects`, names of variants in `domain/variants`.
"""

from typing import Final

from benchmark_manager.domain.text.characters import holds_control

#: The name of a project, which is never empty, and of a release, which may be.
LONGEST_NAME: Final = 200
#: The description of a variant or a release.
LONGEST_DESCRIPTION: Final = 10_000
#: The name of the person or program that makes a request, as the header `X-Actor` has it.
LONGEST_ACTOR: Final = 200
#: The name that a person enters on the page for it.
LONGEST_PERSON_NAME: Final = 100
#: The address of a repository, in any of its forms.
LONGEST_ADDRESS: Final = 2000
#: A folder of a repository, as it is entered; git's own limits are checked later.
LONGEST_FOLDER: Final = 2000
#: The name of a branch or tag, or the id of a commit, as it is entered.
LONGEST_REF_NAME: Final = 1000
#: A pattern as it is entered; `domain/projects/file_patterns` allows fewer in one that is stored.
LONGEST_ENTERED_PATTERN: Final = 1000
#: The name or path of a file whose content is validated without being stored.
LONGEST_PATH: Final = 4096
#: A query for a part of a project's name, and for a part of a path.
LONGEST_NAME_QUERY: Final = LONGEST_NAME
LONGEST_PATH_QUERY: Final = 1000
#: An id of a document: one that is longer names nothing.
LONGEST_ID: Final = 100
#: A git object id, of SHA-1 or SHA-256.
LONGEST_OBJECT_ID: Final = 64
#: The cursor of a list: a path of GitHub's, every character of it escaped, still fits.
LONGEST_CURSOR: Final = 16_384
#: Seconds between two polls; 0 besides, for a project that is not polled.
POLLING_INTERVALS: Final = (10, 604_800)


def is_project_name(name: str) -> bool:
    """Return whether a project may have this name: a line that is not empty."""
    return bool(name) and is_release_name(name)


def is_release_name(name: str) -> bool:
    """Return whether a release may have this name: one line, which may be empty."""
    return len(name) <= LONGEST_NAME and not holds_control(name)


def is_description(text: str) -> bool:
    """Return whether a variant or a release may have this description."""
    return len(text) <= LONGEST_DESCRIPTION


def is_person_name(name: str) -> bool:
    """Return whether a person may use this name: visible characters, or nothing."""
    return len(name) <= LONGEST_PERSON_NAME and name.isprintable()


def is_polling_interval(seconds: int) -> bool:
    """Return whether a project may be polled so often; 0 means that it is not polled."""
    low, high = POLLING_INTERVALS
    return seconds == 0 or low <= seconds <= high
