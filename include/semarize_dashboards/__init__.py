"""Dashboards over the marts, for people without a BI tool: read-only, DuckDB or Snowflake."""
