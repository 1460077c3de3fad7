"""Paths that others than their routes need to know."""

import re
from typing import Final

#: Where results are uploaded.
UPLOADS: Final = "/results"
#: The same on pages, behind the prefix that all pages have.
UPLOAD_FORM: Final = re.compile(r"/releases/[^/]+/results")
#: Bytes that a form has beside the file: its other fields and its boundaries.
BESIDE_FILE: Final = 1024 * 1024
