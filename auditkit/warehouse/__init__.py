"""The only place that opens DuckDB files."""
