"""Benchmark Manager: exact copies of benchmark configuration from GitHub, and variants kept apart from them."""
