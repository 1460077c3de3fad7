"""Results: metrics, parsers, tables and reports."""
