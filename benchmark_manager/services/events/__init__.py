"""Events for clients."""
