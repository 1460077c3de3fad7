"""Reading what GitHub has for a project: which commit, which files, and their contents."""
