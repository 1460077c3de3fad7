"""Benchmark Manager: exact copies of benchmark configuration from GitHub, and their variants."""
