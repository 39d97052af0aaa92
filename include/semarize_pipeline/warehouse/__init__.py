"""The warehouse: one small port, one implementation per product."""
