"""Replicas, GitHub's limits, and backups."""
