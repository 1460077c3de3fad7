"""GitHub's webhooks: signatures, bodies, and what a push means."""
