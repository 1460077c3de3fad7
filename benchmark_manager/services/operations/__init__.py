"""Running the service: status, metrics, backup, replicas and housekeeping."""
