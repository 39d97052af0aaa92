"""Airflow's metadata database, made ready in this process."""

from __future__ import annotations

from semarize_airflow.pools import make_pools


def prepare() -> None:
    """Create or migrate the database and make the pools; the environment must be set before."""
    # Airflow reads its configuration when it is first imported.
    from airflow.utils.db import initdb

    initdb()
    make_pools()
