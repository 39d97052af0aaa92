"""The ten pains of those who run such pipelines, and a test of each: ``make test ARGS="tests/acceptance"``.

| what hurts | proven by | more of it in |
| --- | --- | --- |
| late transcripts vanish | ``test_late_transcripts_vanish.py`` | ``contract/test_vendor_contract.py`` |
| "incremental" that is not | ``test_incremental_that_is_not.py`` | ``contract``, ``unit/test_windows.py`` |
| rate limits kill history loads | ``test_rate_limits_kill_history_loads.py`` | ``unit/state/test_state_budgets.py`` |
| duplicates and drift after a crash | ``test_duplicates_after_a_crash.py`` | ``pipeline/test_scoring.py`` |
| backfills interfere with live runs | ``test_backfills_interfere.py`` | ``pipeline/test_backfill.py`` |
| poison rows stop everything | ``test_poison_rows_stop_everything.py`` | ``pipeline/test_replay.py`` |
| types and time zones get corrupted | ``test_types_get_corrupted.py`` | ``unit/warehouse``, ``airflow`` |
| cost runs away | ``test_cost_runs_away.py`` | ``pipeline/test_scoring.py`` |
| dbt is slow and opaque | ``test_dbt_is_slow_and_opaque.py`` | ``unit/test_dbt_build.py``, ``dbt`` |
| nobody can see what is missing | ``test_nobody_sees_what_is_missing.py`` | ``contract/test_reconcile.py`` |

Those over all vendors run once for each of the registry, as the contract suite does.
"""

from __future__ import annotations

from contract.conftest import pytest_generate_tests, start  # noqa: F401
