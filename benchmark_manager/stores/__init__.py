"""The only code that speaks to MongoDB. Stores take and return models; no document leaves one."""
