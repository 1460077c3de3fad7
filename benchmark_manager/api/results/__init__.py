"""Routes of results."""
