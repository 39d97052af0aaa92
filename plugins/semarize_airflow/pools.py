"""The pools that the DAGs name, for every place where Airflow is set up."""

from __future__ import annotations

POOLS: dict[str, tuple[int, str]] = {
    # name: (slots, description)
    "semarize_api": (3, "Tasks that call Semarize at once: all vendors share one account"),
    "warehouse": (1, "Tasks that need the warehouse file to themselves: it has one writer"),
}
