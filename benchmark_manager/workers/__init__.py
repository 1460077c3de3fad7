"""Worker processes: where texts from outside are read, compared, merged and validated, with limits."""
