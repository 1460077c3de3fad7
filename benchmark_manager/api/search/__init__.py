"""Routes of searches."""
