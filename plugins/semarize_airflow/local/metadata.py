"""Airflow's metadata database, made ready in this process."""

from __future__ import annotations

from semarize_airflow.pools import POOLS


def prepare() -> None:
    """Create or migrate the database and make the pools; the environment must be set before."""
    # Airflow reads its configuration when it is first imported.
    from airflow.utils.db import initdb

    initdb()
    make_pools()


def make_pools() -> None:
    """Make the pools that the DAGs name, with the sizes that the project gives them."""
    from airflow.models.pool import Pool

    for name, (slots, description) in POOLS.items():
        Pool.create_or_update_pool(name, slots, description, include_deferred=False)
