"""Searches inside the files of a project."""
