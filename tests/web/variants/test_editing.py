"""A form gives the exact text that its sender means."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import FormData

from benchmark_manager.web.site.editing import Editable, edited_text, restored
from benchmark_manager.web.site.forms import Form

TEXT = st.text(st.sampled_from("ab \r\n\0\ufeffé🎉"), max_size=30) | st.text(max_size=30)


def through_a_browser(text: str) -> str:
    """Return the value of a textarea as forms send it: with CRLF, and U+FFFD for NUL."""
    return re.sub(r"\r\n|\r|\n", "\r\n", text).replace("\0", "\ufffd")


def form_of(editable: Editable, typed: str) -> Form:
    fields = {
        "content": through_a_browser(typed),
        "line_end": editable.line_end,
        "original_sha256": editable.sha256,
        "content_exact": "",
    }
    return Form(FormData(fields))


@given(TEXT)
def test_an_untouched_text_is_returned_exactly(text: str) -> None:
    assert edited_text(form_of(Editable.of(text), text), text) == text


@given(TEXT, TEXT, TEXT, st.sampled_from(["\n", "\r\n", "\r"]))
def test_one_kind_of_line_end_stays_one_kind(
    before: str, middle: str, after: str, end: str
) -> None:
    """An edit of a text with one kind of line end keeps this kind and the typed text."""

    def ended(text: str) -> str:
        return re.sub(r"\r\n|\r|\n", end, text.replace("\0", ""))

    stored = ended(f"x\n{before}\n{after}")
    typed = ended(f"x\n{before}\n") + middle.replace("\0", "") + ended(after)
    assert edited_text(form_of(Editable.of(stored), typed), stored) == ended(typed)


@given(TEXT, TEXT, st.sampled_from(["\n", "\r\n", "\r"]))
def test_what_was_typed_is_what_is_stored_but_for_line_ends(
    stored: str, typed: str, end: str
) -> None:
    shown = through_a_browser(typed)
    found = restored(stored, shown, end)
    assert through_a_browser(found) == shown


@pytest.mark.parametrize("line_end", ["lf", "crlf", "cr", "mixed", "", "nonsense"])
def test_a_stranger_s_line_end_breaks_nothing(line_end: str) -> None:
    fields = {"content": "a\r\nb", "line_end": line_end, "original_sha256": "", "content_exact": ""}
    expected = {"crlf": "a\r\nb", "cr": "a\rb"}.get(line_end, "a\nb")
    assert edited_text(Form(FormData(fields)), "x") == expected


@pytest.mark.parametrize(
    "text", ["a\r\n" * 300_000, "\r" * 1_000_000, "a" * 1_000_000], ids=["lines", "ends", "line"]
)
def test_a_megabyte_is_restored_in_linear_time(text: str) -> None:
    assert restored(text, through_a_browser(text), "\n") == text
    assert restored(text + "x", through_a_browser("y" + text), "\n")
