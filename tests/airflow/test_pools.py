"""Pools as a deployment makes them, each time that it prepares itself."""

from __future__ import annotations

from pathlib import Path


def test_pools_are_made_once_and_keep_the_size_they_are_given(airflow_home: Path) -> None:
    from airflow.models.pool import Pool

    from semarize_airflow.pools import POOLS, make_pools

    make_pools()
    slots = {name: Pool.get_pool(name).slots for name in POOLS}
    Pool.create_or_update_pool("semarize_api", 7, "", include_deferred=False)
    make_pools()
    assert Pool.get_pool("semarize_api").slots == 7
    Pool.create_or_update_pool("semarize_api", *POOLS["semarize_api"], include_deferred=False)
    assert slots == {name: size for name, (size, _) in POOLS.items()}
