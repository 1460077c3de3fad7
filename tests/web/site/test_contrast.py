"""The colours can be read in both themes (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re

import pytest

from benchmark_manager.web.site.assets import FOLDER

Colour = tuple[float, float, float]

TEXTS = ("text", "quiet", "link", "good", "busy", "warn", "bad")
GROUNDS = ("ground", "raised", "sunken")
#: Pairs of a text colour and its own background.
PAIRS = [
    *((text, ground) for text in TEXTS for ground in GROUNDS),
    *((tone, f"{tone}-ground") for tone in ("good", "busy", "warn", "bad")),
    *(("text", f"{tone}-ground") for tone in ("good", "busy", "warn", "bad")),
    *(("text", f"heat-{shade}") for shade in range(7)),
    *(("on-accent", accent) for accent in ("accent", "accent-strong")),
]


def colours(theme: int) -> dict[str, Colour]:
    """Return the tokens' colours, 0 light and 1 dark; a token with one colour has it in both."""
    sheet = (FOLDER / "css" / "tokens.css").read_text()
    found = {}
    for name, value in re.findall(r"--([\w-]+): ([^;]+);", sheet):
        hexes = re.findall(r"#([0-9a-f]{6})", value)
        if hexes:
            text = hexes[theme % len(hexes)]
            found[name] = tuple(int(text[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return found  # type: ignore[return-value]  # three each


def luminance(colour: Colour) -> float:
    """Return WCAG 2.2's relative luminance."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Colour, other: Colour) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_has_enough_contrast(theme: int) -> None:
    known = colours(theme)
    weak = {pair: contrast(known[pair[0]], known[pair[1]]) for pair in PAIRS}
    assert {pair: round(ratio, 2) for pair, ratio in weak.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("edge", ["line-strong", "focus"])
@pytest.mark.parametrize("ground", GROUNDS)
def test_edges_of_controls_and_the_focus_can_be_seen(theme: int, edge: str, ground: str) -> None:
    known = colours(theme)
    assert contrast(known[edge], known[ground]) >= 3


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("line", range(8))
def test_lines_of_charts_can_be_seen(theme: int, line: int) -> None:
    known = colours(theme)
    assert contrast(known[f"series-{line}"], known["ground"]) >= 3
