"""The ten pains of those who run such pipelines: ``make test ARGS="tests/acceptance"``.

What hurts, the file here that proves the whole sentence, and where more of it is tested:

- late transcripts vanish: ``test_late_transcripts_vanish``; contract/test_vendor_contract
- "incremental" that is not: ``test_incremental_that_is_not``; unit/test_windows
- rate limits kill history loads: ``test_rate_limits_kill_history_loads``;
  unit/state/test_state_budgets, pipeline/test_backfill
- duplicates and drift after a crash: ``test_duplicates_after_a_crash``; pipeline/test_scoring
- backfills interfere with live runs: ``test_backfills_interfere``; pipeline/test_backfill,
  airflow/test_history_dags
- poison rows stop everything: ``test_poison_rows_stop_everything``; pipeline/test_replay
- types and time zones get corrupted: ``test_types_get_corrupted``;
  unit/warehouse/test_warehouse_contract, airflow/test_both_warehouses
- cost runs away: ``test_cost_runs_away``; pipeline/test_scoring, airflow/test_history_dags
- dbt is slow and opaque: ``test_dbt_is_slow_and_opaque``; unit/test_dbt_build, dbt
- nobody sees what is missing: ``test_nobody_sees_what_is_missing``; contract/test_reconcile,
  dbt/test_build

Those over all vendors run once for each of the registry, as the contract suite does.
"""

from __future__ import annotations

from contract.conftest import pytest_generate_tests, start  # noqa: F401
from in_memory import folder, tmp_path  # noqa: F401
