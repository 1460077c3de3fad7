"""Pages: HTML rendered by the server, from the same services as the API."""

from typing import Final

#: The path of every page begins with this.
PREFIX: Final = "/ui"
#: The most bytes of a form, which may hold a content twice, as text and as JSON.
MAX_FORM: Final = 8 * 1024 * 1024
