"""Starts the server: the same as `benchmark-manager serve`."""

from benchmark_manager.cli import main

if __name__ == "__main__":
    main(["serve"])
