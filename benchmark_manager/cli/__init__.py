"""The command line."""

from benchmark_manager.cli.commands import main

__all__ = ["main"]
