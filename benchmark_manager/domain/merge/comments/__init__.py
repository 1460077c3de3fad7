"""Comments of both sides, kept by a merge."""
