"""Pages of variants."""
