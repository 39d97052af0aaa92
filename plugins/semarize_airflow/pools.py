"""The pools that the DAGs name, for every place where Airflow is set up."""

from __future__ import annotations

POOLS: dict[str, tuple[int, str]] = {
    # name: (slots, description)
    "semarize_api": (3, "Tasks that call Semarize at once: all vendors share one account"),
    "history": (2, "Tasks that read or score the past: the hourly runs never wait for them"),
    "warehouse": (1, "Tasks that need the warehouse file to themselves: it has one writer"),
}


def make_pools() -> None:
    """Make the pools that are not there yet; one that is there keeps the size it was given."""
    # Airflow reads its configuration when it is first imported.
    from airflow.models.pool import Pool

    for name, (slots, description) in POOLS.items():
        if Pool.get_pool(name) is None:
            Pool.create_or_update_pool(name, slots, description, include_deferred=False)


if __name__ == "__main__":
    make_pools()
