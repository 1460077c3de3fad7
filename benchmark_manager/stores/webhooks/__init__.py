"""The collection of webhook deliveries."""
