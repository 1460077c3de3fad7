"""Routes of health, status and metrics."""
