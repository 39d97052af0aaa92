"""Semarize: its API, its kits' schemas, and its answers as typed rows."""
