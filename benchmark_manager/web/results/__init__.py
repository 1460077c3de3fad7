"""Pages of results: the table of a project, single results, and uploading."""
