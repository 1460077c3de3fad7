"""The command line."""

from benchmark_manager.cli.operations.early_signals import end_at_sigterm

end_at_sigterm()  # before the imports below, which take long

from benchmark_manager.cli.commands import main  # noqa: E402

__all__ = ["main"]
