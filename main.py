"""Starts the server: the same as `benchmark-manager serve`."""

import sys

from benchmark_manager.cli import main

if __name__ == "__main__":
    main(["serve", *sys.argv[1:]])
