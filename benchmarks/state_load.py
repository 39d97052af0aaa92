"""`make bench-state`: what the state database takes, on its real tables, through our State class.

Three things that the simulation of a large tenant rests on, each of which can be tried here:

- the bytes of a row of the ledger and of the register of runs, on SQLite and PostgreSQL;
- the conversations a second for which one PostgreSQL takes every write that ``extract`` and
  ``score`` make, by one process, by several in one database, and by several in four databases:
  transactions that write stand in one line in each database;
- whether many processes on one key keep its promise together, a second's and a day's.

Read the ratios: they are of one run on one machine, and a busy one is slow. The server is
PostgreSQL as its packages install it (``fsync`` on), beside its clients on the same disk.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cost
import sqlalchemy as sa
from unit.postgres import SETTINGS, Cluster

from semarize_pipeline import vendors
from semarize_pipeline.errors import Wait
from semarize_pipeline.scoring import _key
from semarize_pipeline.settings import Settings
from semarize_pipeline.state import State
from semarize_pipeline.state.budgets import RUNS, Limits, SharedPace
from semarize_pipeline.state.ledger import Entry
from semarize_pipeline.state.runs import Run

DURABLE = {
    **SETTINGS,
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "shared_buffers": "128MB",
}
BEGAN = datetime(2026, 3, 10, tzinfo=UTC)
HASH = "5f2c9a7be1d04836" * 4
FREE = Limits(requests_per_second=1_000_000)
BATCH = 100


def entries(first: int, count: int) -> list[Entry]:
    """Conversations as the ledger keeps them once they have landed."""
    return [
        Entry(
            conversation_id=str(7782342274025930000 + first + n),
            status="landed",
            score_status="due",
            channel="video",
            started_at=BEGAN + timedelta(seconds=n),
            listed_at=BEGAN,
            landed_at=BEGAN,
            tries=1,
            content_hash=HASH,
            transcript_hash=HASH,
            listing_hash=HASH,
        )
        for n in range(count)
    ]


def run_of(vendor: str, entry: Entry) -> Run:
    return Run(
        idempotency_key=_key(vendor, entry.conversation_id, "5b1e8f0c-ffee-4c0d", HASH, 1),
        vendor=vendor,
        conversation_id=entry.conversation_id,
        kit_name="interaction_quality",
        kit_code="A1B2C3D4",
        kit_version_id="5b1e8f0c-ffee-4c0d-b1ed-000000000001",
        transcript_hash=HASH,
        planned_at=BEGAN,
    )


def carry(state: State, vendor: str, first: int, requests: int) -> int:
    """Every read and write of the state for a batch of conversations, from listing to score."""
    ledger, register, now = state.ledger, state.runs, state.clock()
    given = entries(first, BATCH)
    ids = [each.conversation_id for each in given]
    for _ in range(requests):
        state.budgets.turns(vendor, FREE, 1)
    ledger.find(vendor, ids)
    ledger.record_listed(vendor, [replace(e, status="listed", score_status=None) for e in given])
    ledger.record(vendor, [])
    ledger.erased(vendor, ids)
    ledger.record(vendor, given)
    ledger.mirrored(vendor, ledger.unmirrored(vendor))
    for start in range(0, BATCH, 100):
        due = ledger.to_score(vendor, now, 100)
        some = [e.conversation_id for e in due]
        register.of(vendor, some)
        bought = [run_of(vendor, entry) for entry in due]
        state.budgets.spend(RUNS, None, len(bought))
        register.plan(bought)
        for number, run in enumerate(bought):
            if number % 2 == 0:
                state.budgets.turns("semarize", FREE, 5)  # two requests and more a run, by five
            register.accepted(run.idempotency_key, f"run_{first}_{start}_{number:05d}", now)
        register.finish([(run.idempotency_key, "succeeded", now, None) for run in bought])
        register.of(vendor, some)
        ledger.settle_scores(vendor, dict.fromkeys(some, ("scored", None)))
        ledger.mirrored(vendor, ledger.unmirrored(vendor))
    return BATCH


# ---------------------------------------------------------------------- bytes


def row_bytes(state: State, size: Callable[[str], float]) -> tuple[float, float]:
    """Bytes of a row of the ledger and of the register, with their indexes."""
    count, now = 5000, state.clock()
    given = entries(0, count)
    state.ledger.record("gong", [replace(each, score_status="scored") for each in given])
    state.runs.plan(
        [
            replace(
                run_of("gong", each),
                run_id=f"run_{number:024d}",
                status="succeeded",
                submitted_at=now,
                finished_at=now,
            )
            for number, each in enumerate(given)
        ]
    )
    return size("ledger") / count, size("semarize_runs") / count


def sqlite_bytes() -> tuple[float, float]:
    with TemporaryDirectory(prefix="state-") as folder:
        path = Path(folder) / "state.db"
        with closing(State(f"sqlite:///{path}")) as state:

            def size(table: str) -> float:
                names = {"ledger": "ledger%", "semarize_runs": "%runs%"}[table]
                query = "select sum(pgsize) from dbstat where name like ? or name like ?"
                auto = f"sqlite_autoindex_{table}%"
                try:
                    with state.read() as connection:
                        found = connection.exec_driver_sql(query, (names, auto))
                        return float(found.scalar_one())
                except sa.exc.DatabaseError:
                    return _emptied(path, state, table)

            return row_bytes(state, size)


def _emptied(path: Path, state: State, table: str) -> float:
    """By how much the file shrinks without the table, where SQLite has no ``dbstat``."""

    def folded() -> int:
        with state._engine.connect() as connection:
            connection.exec_driver_sql("vacuum")
            connection.exec_driver_sql("pragma wal_checkpoint(truncate)")
        return path.stat().st_size

    before = folded()
    with state.write() as connection:
        connection.exec_driver_sql(f"delete from {table}")
    return before - folded()


def postgres_bytes(cluster: Cluster) -> tuple[float, float]:
    with closing(State(_database(cluster, "sizes"))) as state:

        def size(table: str) -> float:
            # Vacuumed first, as autovacuum does: what updates left behind is another count.
            with state._engine.connect().execution_options(
                isolation_level="AUTOCOMMIT"
            ) as connection:
                connection.exec_driver_sql(f"vacuum full {table}")
                found = connection.exec_driver_sql(f"select pg_total_relation_size('{table}')")
                return float(found.scalar_one())

        return row_bytes(state, size)


def _database(cluster: Cluster, name: str) -> str:
    cluster.execute(f"create database {name}")
    return cluster.url("public").replace("/postgres?", f"/{name}?")


# ---------------------------------------------------------------------- writes


def work(url: str, number: int, seconds: float, requests: int, ready: Any, done: Any) -> None:
    """One worker: batches until the time is up; how many conversations and transactions."""
    with closing(State(url)) as state:
        writes = 0

        def committed(connection: sa.Connection) -> None:
            nonlocal writes
            writes += 1

        vendor = f"vendor{number}"
        state.watermarks.reached(vendor)  # connected before the clock runs
        sa.event.listen(state._engine, "commit", committed)
        ready.wait()
        until, carried, first = time.monotonic() + seconds, 0, 0
        while time.monotonic() < until:
            carried += carry(state, vendor, first, requests)
            first += BATCH
        # A batch that began in time ends late.
        took = time.monotonic() - until + seconds
        done.put((carried / took, writes / took))


def rate(urls: Sequence[str], workers: int, seconds: float, requests: int) -> tuple[float, float]:
    """Conversations and writes a second of so many processes, spread over these databases."""
    spawn = multiprocessing.get_context("spawn")
    ready, done = spawn.Barrier(workers), spawn.Queue()
    started = [
        spawn.Process(target=work, args=(urls[n % len(urls)], n, seconds, requests, ready, done))
        for n in range(workers)
    ]
    for each in started:
        each.start()
    told = [done.get(timeout=300) for _ in started]
    for each in started:
        each.join()
    return sum(carried for carried, _ in told), sum(writes for _, writes in told)


# ---------------------------------------------------------------------- the promise


def take(url: str, limits: Limits, until: float, ready: Any, done: Any) -> None:
    """One worker with the key: takes turns until the time is up or the day's cap is."""
    sent = []
    with closing(State(url)) as state:
        pace = SharedPace(state.budgets, "one key", limits)
        ready.wait()
        give_up = time.time() + until
        with suppress(Wait):
            while time.time() < give_up:
                pace.take()
                sent.append(time.time())
    done.put(sent)


def promise(url: str, limits: Limits, workers: int, seconds: float) -> list[float]:
    """When so many processes sent with one key."""
    spawn = multiprocessing.get_context("spawn")
    ready, done = spawn.Barrier(workers), spawn.Queue()
    started = [
        spawn.Process(target=take, args=(url, limits, seconds, ready, done)) for _ in range(workers)
    ]
    for each in started:
        each.start()
    sent = sorted(moment for _ in started for moment in done.get(timeout=300))
    for each in started:
        each.join()
    return sent


@contextmanager
def server() -> Iterator[Cluster]:
    with Cluster.running(DURABLE) as cluster:
        yield cluster


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench-state", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--workers", type=int, default=8)
    told = parser.parse_args()
    with server() as cluster:
        print("| bytes a row, with its indexes | ledger | register of runs |\n|---|---|---|")
        for name, (entry, run) in (
            ("SQLite", sqlite_bytes()),
            ("PostgreSQL, vacuumed", postgres_bytes(cluster)),
        ):
            print(f"| {name} | {entry:,.0f} | {run:,.0f} |")
        tell_rates(cluster, told.workers, told.seconds)
        tell_promise(cluster, told.workers, told.seconds)


def tell_rates(cluster: Cluster, workers: int, seconds: float) -> None:
    need = 10_000_000 / 86_400
    gong, salesloft = (
        cost.day(vendors.get(name), Settings(), 20_000).requests * BATCH // 20_000
        for name in ("gong", "salesloft")
    )
    print(
        "\n| writers | databases | requests a batch of 100 | conversations a second | "
        "writes a second | of one writer | of 10 million a day, evenly |\n"
        "|---|---|---|---|---|---|---|"
    )
    one: float | None = None
    cases = [(1, 1, gong), (workers, 1, gong), (workers, 1, salesloft), (workers, 4, gong)]
    for number, (count, databases, requests) in enumerate(cases):
        urls = [_database(cluster, f"load{number}_{n}") for n in range(databases)]
        carried, writes = rate(urls, count, seconds, requests)
        one = one or carried
        print(
            f"| {count} | {databases} | {requests} | {carried:,.0f} | {writes:,.0f} "
            f"| {carried / one:.2f} | {carried / need:.2f} |",
            flush=True,
        )


def tell_promise(cluster: Cluster, workers: int, seconds: float) -> None:
    print("\n| processes on one key | promised | sent | ratio | the fullest second |")
    print("|---|---|---|---|---|")
    for number, limits in enumerate(
        (Limits(requests_per_second=20), Limits(requests_per_second=200, per_day=150))
    ):
        sent = promise(_database(cluster, f"promise{number}"), limits, workers, seconds)
        lasted = sent[-1] - sent[0]
        promised = limits.requests_per_second * lasted + 1
        if limits.per_day is not None:
            promised = min(promised, limits.per_day)
        fullest = max(sum(at <= each < at + 1 for each in sent) for at in sent)
        print(
            f"| {workers} | {limits.requests_per_second:g} a second, "
            f"{limits.per_day or 'no cap'} a day | {len(sent)} | {len(sent) / promised:.2f} "
            f"| {fullest / limits.requests_per_second:.2f} of the promise |"
        )


if __name__ == "__main__":
    main()
