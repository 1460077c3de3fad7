"""Syncs, leases, progress, and changes applied in steps."""
