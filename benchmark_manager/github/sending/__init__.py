"""Sending requests: connections, retries, limits and credentials."""
