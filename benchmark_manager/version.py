"""The version that the service, its packages and its User-Agent tell."""

__version__ = "0.2.0"
