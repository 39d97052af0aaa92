"""Airflow and the sandbox on one machine, for trying things out: ``make demo``, ``make up``.

Nothing here is needed in production.
"""
