"""Checks the URL of a database before anything connects to it."""

from pymongo.errors import InvalidURI, PyMongoError
from pymongo.uri_parser import parse_uri


def check_url(url: str) -> None:
    """Check that this is a MongoDB URL; the name of an SRV record is not resolved.

    Raises:
        ValueError: it is none.
        OSError: a file that it names cannot be read.
    """
    if url.startswith("mongodb+srv://"):
        # It needs the network to be resolved; the driver does that at the start.
        return
    try:
        parse_uri(url, warn=False)
    except (InvalidURI, PyMongoError) as error:
        raise ValueError(str(error)) from None
