"""What the tests run in other processes. Each function is sent by name and returns plain data."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from semarize_pipeline.model import utc
from semarize_pipeline.rest.auth import Credentials, OAuth2, authorization_code
from semarize_pipeline.state import State
from semarize_pipeline.state import tables as t
from semarize_pipeline.state.budgets import Limits, SharedPace
from semarize_pipeline.state.ledger import Entry
from semarize_pipeline.state.runs import Run
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
from semarize_pipeline.warehouse.port import Load


def warm(seconds: float) -> int:
    """Hold this process for a moment, so that another one takes the next task."""
    time.sleep(seconds)
    return os.getpid()


def at(moment: float, work: Callable[..., Any], *given: Any) -> Any:
    time.sleep(max(0.0, moment - time.time()))
    return work(*given)


def open_fresh(url: str) -> int:
    """Open a database that may not exist yet and use its last table."""
    state = State(url)
    try:
        state.runs.plan([a_run(f"key {os.getpid()}")])
        return state.budgets.spend("runs", None)
    finally:
        state.close()


def advance(url: str, stream: str, moments: list[str]) -> list[str]:
    """Move the watermark; what it read after each move."""
    state = State(url)
    seen = []
    for moment in moments:
        state.watermarks.advance(stream, utc(moment))
        reached = state.watermarks.reached(stream)
        assert reached is not None
        seen.append(reached.isoformat())
    state.close()
    return seen


def write_ledger(url: str, name: str, rounds: int) -> int:
    """Write small transactions without pause."""
    state = State(url)
    now = datetime.now(UTC)
    for number in range(rounds):
        state.ledger.record(
            "gong", [Entry(conversation_id=f"{name}-{number}", status="listed", listed_at=now)]
        )
        state.ledger.counts("gong")
    state.close()
    return rounds


def count_up(url: str, rounds: int) -> int:
    """Read a number, then write it plus one: two at once must not read the same."""
    state = State(url)
    lease = t.leases.c
    for _ in range(rounds):
        with state.write() as connection:
            query = sa.select(lease.holder).where(lease.name == "counter")
            number = int(connection.execute(query).scalar_one())
            connection.execute(
                sa.update(t.leases).where(lease.name == "counter").values(holder=str(number + 1))
            )
    state.close()
    return rounds


def a_run(key: str, **more: Any) -> Run:
    told: dict[str, Any] = {
        "idempotency_key": key,
        "vendor": "gong",
        "conversation_id": "c1",
        "kit_name": "quality",
        "kit_code": "A1B2C3D4",
        "kit_version_id": None,
        "transcript_hash": "0" * 64,
        "planned_at": datetime(2026, 11, 18, tzinfo=UTC),
    }
    return Run(**{**told, **more})


def plan(url: str, conversation: str, keys: list[str]) -> None:
    state = State(url)
    for key in keys:
        state.runs.plan([a_run(key, conversation_id=conversation)])
    state.close()


def spend(url: str, key: str, cap: int, tries: int) -> int:
    state = State(url)
    granted = sum(state.budgets.spend(key, cap) for _ in range(tries))
    state.close()
    return granted


def slots(
    url: str,
    key: str,
    requests_per_second: float,
    batches: list[int],
    per_minute: int | None = None,
) -> list[float]:
    """The moments that the database hands out."""
    state = State(url)
    limits = Limits(requests_per_second=requests_per_second, per_minute=per_minute)
    handed = [turn for wanted in batches for turn in state.budgets.turns(key, limits, wanted)]
    state.close()
    return handed


def sends(
    url: str, key: str, requests_per_second: float, threads: int, each: int, pause: float
) -> list[float]:
    """The moments at which several threads of one process were let through, as they slept.

    What a busy machine adds by waking late is left out: the moment is the one asked for.
    """
    state = State(url)
    local = threading.local()

    def now() -> float:
        local.now = time.time()
        return float(local.now)

    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        local.now += seconds

    pace = SharedPace(
        state.budgets, key, Limits(requests_per_second=requests_per_second), sleep=sleep, now=now
    )

    def one(number: int) -> list[float]:
        moments = []
        for turn in range(each):
            pace.take()
            moments.append(local.now)
            if pause and turn % 3 == number % 3:
                time.sleep(pause)
        return moments

    with ThreadPoolExecutor(threads) as pool:
        moments = [moment for part in pool.map(one, range(threads)) for moment in part]
    state.close()
    return moments


def hold_lease(url: str, name: str, rounds: int) -> list[tuple[float, float]]:
    """From when to when this process had the lease."""
    state = State(url)
    held = []
    for _ in range(rounds):
        with state.lease(name, seconds=30, wait_seconds=30):
            began = time.time()
            time.sleep(0.02)
            held.append((began, time.time()))
    state.close()
    return held


def renew(url: str, fernet_key: str, token_url: str) -> str:
    """Have a token, as a task of its own would."""
    import requests

    state = State(url, fernet_key=fernet_key)
    given = Credentials(
        "acme_default", login="the-id", password="the-secret", extra={"refresh_token": "first"}
    )
    auth = OAuth2(given, state.tokens, token_url, authorization_code)
    signed = auth(requests.Request("GET", "http://nowhere.invalid/").prepare())
    state.close()
    return str(signed.headers["Authorization"])


def land(path: str, name: str, batches: int, size: int) -> int:
    warehouse = DuckDBWarehouse(Path(path), wait_seconds=60)
    now = datetime.now(UTC)
    for batch in range(batches):
        with warehouse.open(f"{name} {batch}") as session:
            session.ensure([tables.LEDGER])
            rows = [
                {
                    "vendor": name,
                    "conversation_id": f"{batch}-{number}",
                    "status": "landed",
                    "listed_at": now - timedelta(minutes=number),
                }
                for number in range(size)
            ]
            session.land([Load(tables.LEDGER, rows)])
    return batches * size
