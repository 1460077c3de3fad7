"""Rules of searches inside files."""
