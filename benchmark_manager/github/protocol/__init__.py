"""GitHub's protocols without I/O: requests, and what answers mean."""
