"""Applying what a sync has read: originals, variants and the record change together."""
