"""Frozen data which the layers hand to each other."""
