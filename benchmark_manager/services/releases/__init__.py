"""Releases: making, reading and delivering them."""
