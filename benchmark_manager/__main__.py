"""`python -m benchmark_manager` is the command line."""

from benchmark_manager.cli import main

if __name__ == "__main__":
    main()
