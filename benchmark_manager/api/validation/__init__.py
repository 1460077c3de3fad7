"""Routes of validation."""
