"""Texts that might cost far more than their share, in any size, and which operations they attack.

A text grows in proportion to the size that is asked for, in characters; its cost must do nearly the
same. Whoever finds another such text adds it to a module of `support.hostile`, and every test of
growth, of time and of memory has it.

    for text in HOSTILE:
        for operation in text.operations:
            run(operation, text.make(100_000))
"""

from typing import Final

from support.hostile import json_texts, lines, manifests, schemas, yaml_merges, yaml_texts
from support.hostile.text import HostileText

HOSTILE: Final[tuple[HostileText, ...]] = (
    *yaml_texts.TEXTS,
    *yaml_merges.TEXTS,
    *json_texts.TEXTS,
    *manifests.TEXTS,
    *schemas.TEXTS,
    *lines.TEXTS,
)
