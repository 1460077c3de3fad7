"""Benchmark Manager: exact copies of configuration from GitHub, and variants of them."""
