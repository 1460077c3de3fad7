"""Rules for the events that clients receive."""
