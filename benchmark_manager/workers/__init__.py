"""Worker processes, which read, compare, merge and validate texts within limits."""
