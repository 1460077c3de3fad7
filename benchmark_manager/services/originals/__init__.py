"""Reading original files and their history."""
