"""The service's settings, read from environment variables, a `.env` file and files of secrets."""

from benchmark_manager.config.settings import SECRETS, Settings, load_settings, split_keys

__all__ = ["SECRETS", "Settings", "load_settings", "split_keys"]
