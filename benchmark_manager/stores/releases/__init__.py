"""The collections of releases."""
