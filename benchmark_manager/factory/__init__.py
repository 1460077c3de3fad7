"""Builds every service once, one small function per feature; app, command line and tests use it."""

from benchmark_manager.factory.databases import open_database
from benchmark_manager.factory.externals import Externals, utc_now
from benchmark_manager.factory.limits import ServiceLimits
from benchmark_manager.factory.opening import open_services
from benchmark_manager.factory.secrets import token_vault
from benchmark_manager.factory.services import Services

__all__ = [
    "Externals",
    "ServiceLimits",
    "Services",
    "open_database",
    "open_services",
    "token_vault",
    "utc_now",
]
