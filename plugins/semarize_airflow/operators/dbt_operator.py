"""``dbt build`` as one task."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

import semarize_pipeline
from semarize_airflow.failures import handled
from semarize_airflow.hooks.state_hook import airflow_home
from semarize_airflow.hooks.warehouse_hook import WarehouseHook
from semarize_airflow.run import run_name
from semarize_pipeline import landing, vendors
from semarize_pipeline.dbt_build import BuildFailed, DbtBuild
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.port import Load

ROOT = Path(semarize_pipeline.__file__).parents[2]


class DbtBuildOperator(BaseOperator):
    """Build the dbt project on the warehouse of ``warehouse_default``.

    Each node's result lands in ``landing.dbt_results``; a failing node fails the task by name.
    Returns the counts by status.
    """

    _build: DbtBuild | None = None

    def execute(self, context: Any) -> dict[str, int]:
        with handled(self):
            warehouse = WarehouseHook().get_conn()
            run = run_name(context)
            with warehouse.open(f"{run}: make the landing tables") as session:
                session.ensure(
                    [table for vendor in vendors.names() for table in landing.vendor_tables(vendor)]
                )
            self._build = DbtBuild(
                os.environ.get("DBT_BIN", str(ROOT / ".venv-dbt/bin/dbt")),
                os.environ.get("DBT_PROJECT_DIR", str(ROOT / "dbt")),
                airflow_home() / "dbt",
            )
            with warehouse.for_dbt(f"{run}: dbt build") as target:
                # dbt's statements say whose they are.
                asks = {"SEMARIZE_RUN": run}
                build = self._build.run(target.name, {**target.environment, **asks})
            mark = landing.stamp(datetime.now(UTC), run)
            with warehouse.open(f"{run}: land dbt's results") as session:
                session.land([Load(tables.DBT_RESULTS, landing.stamped(build.results, mark))])
        try:
            build.check()
        except BuildFailed as failed:
            raise AirflowFailException(str(failed)) from None
        self.log.info("%s", build.counts())
        return build.counts()

    def on_kill(self) -> None:
        if self._build is not None:
            self._build.kill()
