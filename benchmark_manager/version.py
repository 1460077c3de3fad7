"""The version that the service, its packages and its User-Agent tell."""

__version__ = "0.1.0"
