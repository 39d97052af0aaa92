"""Clients as the hooks build them, whose waits cost nothing: they move the bench's clock."""

from __future__ import annotations

from typing import Any

from bench import Bench

from semarize_pipeline import connect, pipeline
from semarize_pipeline.rest.auth import Credentials, bearer
from semarize_pipeline.rest.client import RestClient
from semarize_pipeline.semarize.client import SemarizeClient
from semarize_pipeline.state.budgets import SharedPace


def client(bench: Bench, given: Credentials | None = None) -> RestClient:
    """A client of the bench's vendor, or of Semarize where its credentials are given."""
    given = given or bench.credentials()
    if given.connection == "semarize_default":
        auth, limits = bearer(given), connect.semarize_limits(bench.settings.score)
    else:
        auth, limits = bench.vendor.auth(given, bench.state.tokens), bench.vendor.limits
    pace = SharedPace(
        bench.state.budgets,
        given.connection,
        limits,
        sleep=bench.sleep,
        now=lambda: bench.clock().timestamp(),
    )
    return RestClient(
        connect.session(given, auth, pace),
        str(given.host),
        connection=given.connection,
        pace=pace,
        secrets=given.secrets,
        clock=bench.clock,
        sleep=bench.sleep,
    )


def semarize(bench: Bench, given: Credentials | None = None) -> SemarizeClient:
    return SemarizeClient(client(bench, given or bench.credentials("semarize")))


def extract(bench: Bench, **changes: Any) -> pipeline.ExtractReport:
    return bench.extract(**{"api": client(bench), **changes})


def score(bench: Bench, **changes: Any) -> pipeline.ScoreReport:
    return pipeline.score(
        bench.vendor.name,
        changes.pop("client", None) or semarize(bench),
        bench.warehouse,
        bench.state,
        **{"settings": bench.settings, "run": "test", "sleep": bench.sleep, **changes},
    )
