"""Pages of signing in, one's own account, people and groups, and roles in projects."""
