"""The connection to the database, and what all stores share."""
