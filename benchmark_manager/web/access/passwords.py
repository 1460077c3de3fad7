"""The two fields of a new password."""

from typing import Final

from benchmark_manager.web.site.forms import Form
from benchmark_manager.web.site.languages import N_
from benchmark_manager.web.site.reader import Reader

_DIFFERENT: Final = N_("The two passwords differ.")


def new_password(form: Form, reader: Reader) -> tuple[str, dict[str, str]]:
    """Return the password, and the error by field where it was not typed twice alike."""
    password = form.text("password")
    if form.text("password_again") == password:
        return password, {}
    return password, {"password_again": reader.words(_DIFFERENT)}
