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
from semarize_pipeline.dbt_build import BuildFailed, DbtBuild, left_by
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.port import Load, Session

ROOT = Path(semarize_pipeline.__file__).parents[2]


class DbtBuildOperator(BaseOperator):
    """Build the dbt project on the warehouse of ``warehouse_default``.

    Each node's result lands in ``landing.dbt_results``; a failing node fails the task by name.
    Another try of the same run builds what the one before left, and nothing else. It comes by
    itself where something broke; failed tests alone are for a person. Returns the counts by
    status.
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
                left = left_by(_results_before(session, run))
            self._build = DbtBuild(
                os.environ.get("DBT_BIN", str(ROOT / ".venv-dbt/bin/dbt")),
                os.environ.get("DBT_PROJECT_DIR", str(ROOT / "dbt")),
                airflow_home() / "dbt",
            )
            with warehouse.for_dbt(f"{run}: dbt build") as target:
                # dbt's statements say whose they are.
                asks = {"SEMARIZE_RUN": run}
                environment = {**target.environment, **asks}
                if left:
                    self.log.info(
                        "An earlier try of this run left %d nodes, failed or skipped: building "
                        "these, and not the others again: %s",
                        len(left),
                        ", ".join(left),
                    )
                    build = self._build.run(target.name, environment, "--select", *left)
                if not left or build.found_nothing:
                    build = self._build.run(target.name, environment)
            mark = landing.stamp(datetime.now(UTC), run)
            with warehouse.open(f"{run}: land dbt's results") as session:
                session.land([Load(tables.DBT_RESULTS, landing.stamped(build.results, mark))])
        try:
            build.check()
        except BuildFailed as failed:
            if build.is_of_the_data:
                raise AirflowFailException(str(failed)) from None
            raise
        self.log.info("%s", build.counts())
        return build.counts()

    def on_kill(self) -> None:
        if self._build is not None:
            self._build.kill()


def _results_before(session: Session, run: str) -> list[dict[str, Any]]:
    """What the nodes did in the last build of this run; nothing where this is its first."""
    table = tables.DBT_RESULTS.qualified
    return session.query(
        f"select node_id, status from {table} where _loaded_by = ? and _loaded_at = "
        f"(select max(_loaded_at) from {table} where _loaded_by = ?)",
        [run, run],
    )
