"""Keeping results, reading them, and putting them side by side."""
