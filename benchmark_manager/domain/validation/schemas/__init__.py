"""JSON Schemas that a repository's settings name."""
