"""Parts of queries that searches share."""
