"""Hooks that let the longest test files start first: no process is then alone with one at the end.

How long a file takes is what was measured before, kept in pytest's cache; a clean clone has the
figures below. A file that is neither measured nor named here starts last. The command line needs
xdist's ``--no-loadscope-reorder``, or xdist sorts the files by their number of tests.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

SECONDS = {
    "tests/acceptance/test_dbt_is_slow_and_opaque.py": 30,
    "tests/acceptance/test_nobody_sees_what_is_missing.py": 30,
    "tests/acceptance/test_rate_limits_kill_history_loads.py": 40,
    "tests/airflow/test_both_warehouses.py": 110,
    "tests/airflow/test_dashboards_link.py": 10,
    "tests/airflow/test_history_dags.py": 35,
    "tests/airflow/test_killed_tasks.py": 25,
    "tests/airflow/test_nothing_leaks.py": 40,
    "tests/airflow/test_operator_page.py": 40,
    "tests/airflow/test_operator_sources.py": 15,
    "tests/airflow/test_waiting.py": 20,
    "tests/airflow/test_whole_dags.py": 20,
    "tests/contract/test_lost_state.py": 25,
    "tests/contract/test_reconcile.py": 25,
    "tests/contract/test_vendor_contract.py": 60,
    "tests/dashboards/test_filters.py": 15,
    "tests/dashboards/test_pages.py": 70,
    "tests/dashboards/test_snowflake.py": 10,
    "tests/dbt/test_build.py": 20,
    "tests/dbt/test_company.py": 30,
    "tests/dbt/test_incremental.py": 130,
    "tests/dbt/test_other_warehouses.py": 75,
    "tests/dbt/test_privacy.py": 25,
    "tests/dbt/test_project.py": 20,
    "tests/dbt/test_snapshots.py": 35,
    "tests/faults/test_every_step.py": 90,
    "tests/faults/test_machine.py": 20,
    "tests/faults/test_random_kills.py": 30,
    "tests/faults/test_random_kills_at_once.py": 60,
    "tests/faults_wire/test_vendors.py": 25,
    "tests/local/test_calls.py": 30,
    "tests/local/test_demo.py": 25,
    "tests/local/test_snowflake_plan.py": 15,
    "tests/local/test_up.py": 30,
    "tests/pipeline/test_backfill.py": 35,
    "tests/pipeline/test_memory.py": 15,
    "tests/pipeline/test_overview.py": 20,
    "tests/pipeline/test_replay.py": 20,
    "tests/pipeline/test_scoring.py": 25,
    "tests/sandbox/test_reference.py": 30,
    "tests/snowflake/test_account.py": 20,
    "tests/unit/state/test_state_budgets.py": 15,
}
KEPT = "files/seconds"

_measured: defaultdict[str, float] = defaultdict(float)


def pytest_configure_node(node: Any) -> None:
    """Every process is told the same figures: xdist wants one order of all of them."""
    cache = getattr(node.config, "cache", None)
    node.workerinput[KEPT] = {**SECONDS, **(cache.get(KEPT, {}) if cache else {})}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    told = getattr(config, "workerinput", None)
    if told is not None:
        seconds = told[KEPT]
        items.sort(key=lambda item: -seconds.get(_file(item.nodeid), 0))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _measured[_file(report.nodeid)] += report.duration


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The longest that a file has taken counts, since a run may have left some of its tests out."""
    cache = getattr(session.config, "cache", None)
    if cache is None or hasattr(session.config, "workerinput"):
        return
    known = cache.get(KEPT, {})
    longest = {
        file: round(max(took, known.get(file, 0)), 1)
        for file, took in _measured.items()
    }  # fmt: skip
    cache.set(KEPT, {**known, **longest})


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]
