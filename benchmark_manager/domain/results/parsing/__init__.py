"""Reading the files that benchmark tools write."""
