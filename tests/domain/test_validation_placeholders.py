"""Which values are filled in later."""

import pytest

from benchmark_manager.domain.validation.placeholders import holds_placeholder


@pytest.mark.parametrize(
    "text",
    [
        *("${N}", "run-${RUN_ID}", "${N:-4}", "$N", "run-$N-x", "$(N)", "$$(N)", "${{ env.N }}"),
        *("{{ .Release.Name }}", "{{x}}-job", "{% if x %}a{% endif %}", "<your-token>", "<YOUR_HF_TOKEN>", "<name>"),
    ],
)
def test_placeholder(text: str) -> None:
    assert holds_placeholder(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "run-1", "64 gigs", "a$", "$1", "100$", "${N", "$(N", "N)", "{{ x", "x }}", "{x}", "}} {{"),
        *("a < b > c", "<1>", "<>", "a<b", "<a=1>", "1<x\n>"),
    ],
)
def test_no_placeholder(text: str) -> None:
    assert not holds_placeholder(text)
