"""The pages: HTML drawn by the server, over the same services as the API."""

from typing import Final

#: Every page's path begins with this.
PREFIX: Final = "/ui"
#: Bytes of a form: a content of the usual limit twice, once as text and once as JSON, and what goes
#: with them.
MAX_FORM: Final = 8 * 1024 * 1024
