"""The version of the service, its packages and its User-Agent."""

__version__ = "0.2.0"
