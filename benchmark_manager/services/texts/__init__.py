"""Texts read in worker processes."""
