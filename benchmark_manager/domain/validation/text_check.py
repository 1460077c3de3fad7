"""What is suspicious in any text, whatever its format."""

import re
from typing import Final

from benchmark_manager.domain.validation.findings import Findings

# Unicode TR 36 and CVE-2021-42574: embeddings, overrides and isolates make text look like another.
_BIDI_CONTROL: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def check_encodable(text: str, findings: Findings) -> None:
    """A lone surrogate cannot be written as UTF-8; only text from elsewhere than a file can hold one."""
    if not text.isascii() and (found := _SURROGATE.search(text)):
        findings.error("lone_surrogate", "The text holds a lone surrogate, which UTF-8 cannot write.", found.start())


def check_bidi(text: str, findings: Findings) -> None:
    if text.isascii() or not (found := _BIDI_CONTROL.search(text)):
        return
    # One warning a file: prompts in right-to-left languages may hold hundreds.
    findings.warning(
        "bidi_control",
        f"From U+{ord(found[0]):04X} on, the text is not shown in the order in which programs read it.",
        found.start(),
    )
