"""Releases: their files, digest and archives."""
