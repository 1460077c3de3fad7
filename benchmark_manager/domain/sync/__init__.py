"""Rules of a sync: which files belong to a project, and what changed."""
