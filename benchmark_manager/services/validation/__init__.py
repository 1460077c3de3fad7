"""Verdicts on contents."""
