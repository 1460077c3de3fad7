"""Why a text cannot be edited."""

from typing import Literal, TypeAlias

EditErrorCode: TypeAlias = Literal[
    "path_not_found", "path_ambiguous", "edit_not_possible", "not_editable"
]


class EditError(Exception):
    """A text, or one path of it, cannot be edited. Worker processes hand it on by pickling.

    Reasons of `path_not_found`: `syntax` (this is no path), `flag` (the list has no such flag),
    `no_value` (the flag stands alone), `not_addable` (nothing is there, and a `?` at the end would
    not add it, as to what is missing belongs more than keys of a mapping), else "".

    Reasons of `edit_not_possible`: `contradiction` (two assignments to one location, or one inside
    another), `shared` (an alias or `<<` reads the value too), `tag` (it has a tag which the new
    value contradicts), `value` (no reader would take it back: NaN, half a surrogate pair, nested
    too deep), `key` (a new key needs quotes in the path), `no_mapping` (a key cannot be added
    there), `form` (the result would not be the text with exactly these values).

    Reasons of `not_editable`: `template`, `unreadable`, `too_large`.
    """

    def __init__(
        self, code: EditErrorCode, path: str = "", closest: str | None = None, reason: str = ""
    ) -> None:
        super().__init__(code, path, closest, reason)
        self.code = code
        self.path = path
        self.closest = closest
        self.reason = reason
