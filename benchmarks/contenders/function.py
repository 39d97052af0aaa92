"""Ours as a function: what the README shows under "Use it without Airflow", and no more.

The vendor's limits are lifted, since what is measured is the work between two requests; the
scenario that enforces a limit sets it. Everything else is on: retries, pace, state, ledger, raw
JSON, content hashes, MERGE.
"""

from __future__ import annotations

import told

job = told.job()

from dataclasses import replace  # noqa: E402
from datetime import datetime  # noqa: E402
from pathlib import Path  # noqa: E402

from semarize_pipeline import connect, pipeline, settings, vendors  # noqa: E402
from semarize_pipeline.rest.auth import Credentials  # noqa: E402
from semarize_pipeline.state import State  # noqa: E402
from semarize_pipeline.state.budgets import Limits  # noqa: E402
from semarize_pipeline.vendors.base import PerConversation, Vendor  # noqa: E402
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse  # noqa: E402

told.phase("import")

FERNET = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
AT_ONCE = 32


def unhurried(vendor: Vendor, per_second: float) -> Vendor:
    """The vendor without its own politeness: the scenario says how fast it may go."""
    transcripts = vendor.transcripts
    if isinstance(transcripts, PerConversation):
        # As many as the bare client has: at the vendor's real pace 8 are never busy at once.
        transcripts = replace(transcripts, at_once=AT_ONCE)
    limits = Limits(requests_per_second=per_second)
    return replace(vendor, limits=limits, transcripts=transcripts)


def main() -> None:
    folder = Path(job["folder"])
    chosen = settings.load(job["settings"])
    state = State(f"sqlite:///{folder}/state.db", fernet_key=FERNET)
    warehouse = DuckDBWarehouse(folder / "warehouse.duckdb")
    if job["step"] == "score":
        given = Credentials("semarize_default", password="smz_live_bench", host=job["base_url"])
        semarize = connect.semarize_client(given, state, chosen.score)
        told.phase("open")
        scored = pipeline.score(
            job["shape"], semarize, warehouse, state, settings=chosen, run="benchmark"
        )
        told.phase("score")
        told.done(scored=scored.scored, paid=scored.paid)
        return
    vendor = unhurried(vendors.get(job["shape"]), job["per_second"])
    given = Credentials(
        vendor.connection,
        login="bench",
        password="bench-secret",
        host=job["base_url"],
        extra={"token_url": f"{job['base_url']}/oauth/token", "refresh_token": "bench-refresh"},
    )
    api = connect.vendor_client(vendor, given, state)
    told.phase("open")
    report = pipeline.extract(
        vendor,
        api,
        warehouse,
        state,
        until=datetime.fromisoformat(job["until"]),
        settings=chosen,
        run="benchmark",
    )
    told.phase("extract")
    told.done(landed=report.landed, listed=report.listed)


if __name__ == "__main__":
    main()
