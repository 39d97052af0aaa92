"""The state database: opened by many at once, and honest when it cannot be."""

# ruff: noqa: DTZ001 (hypothesis wants naive bounds beside its time zones)

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from unit import workers
from unit.conftest import FreshUrl, Together
from unit.postgres import Cluster
from unit.support import NOON, Clock

from semarize_pipeline.errors import Misconfigured, TryAgain
from semarize_pipeline.model import Window
from semarize_pipeline.state import State, store, tables
from semarize_pipeline.state.budgets import Limits
from semarize_pipeline.state.ledger import Entry

HOUR = timedelta(hours=1)


# ---------------------------------------------------------------------- opening


def test_an_older_database_grows_its_new_columns_and_keeps_its_rows(url: str) -> None:
    state = State(url)
    state.ledger.record("gong", [Entry(conversation_id="c", status="landed", listed_at=NOON)])
    limits = Limits(requests_per_second=1000, per_minute=5)
    state.budgets.turns("k", limits, 1)
    with state.write() as connection:
        connection.exec_driver_sql("ALTER TABLE ledger DROP COLUMN listing_hash")
        connection.exec_driver_sql("ALTER TABLE ledger DROP COLUMN landed_at")
        connection.exec_driver_sql("ALTER TABLE budgets DROP COLUMN recent")
        connection.exec_driver_sql("ALTER TABLE budgets DROP COLUMN held_until")
    state.close()
    again = State(url)
    (entry,) = again.ledger.find("gong", ["c"]).values()
    assert (entry.status, entry.listing_hash, entry.landed_at) == ("landed", None, None)
    again.ledger.record("gong", [replace(entry, listing_hash="h", landed_at=NOON)])
    assert again.ledger.find("gong", ["c"])["c"].landed_at == NOON
    again.budgets.turns("k", limits, 1)
    assert [used.used for used in again.budgets.usage({"k": limits})][1] == 1
    again.close()


def test_an_older_database_grows_its_new_indexes(url: str) -> None:
    State(url).close()
    engine = sa.create_engine(url)
    wanted = {str(index.name) for index in tables.ledger.indexes}
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX ledger_to_score_by_id")
        connection.exec_driver_sql("DROP INDEX ledger_due")
    State(url).close()
    found = {index["name"] for index in sa.inspect(engine).get_indexes("ledger")}
    assert found == wanted
    engine.dispose()


def test_what_is_due_is_looked_for_by_an_index_alone(tmp_path: Path) -> None:
    """SQLite went through the ledger by id otherwise: a hundred among a million that are done."""
    state = State(f"sqlite:///{tmp_path}/state.db")
    asked: list[str] = []
    sa.event.listen(
        state._engine,
        "before_cursor_execute",
        lambda connection, cursor, statement, values, context, many: asked.append(statement),
    )
    state.ledger.to_score("gong", NOON, 100)
    (statement,) = asked
    with state.read() as connection:
        plan = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {statement}", ("gong", "due", "2026", "", 100, 0)
        ).all()
    state.close()
    assert [row.detail for row in plan] == [
        "SEARCH ledger USING INDEX ledger_to_score_by_id "
        "(vendor=? AND score_status=? AND conversation_id>?)"
    ]


def test_several_processes_open_a_fresh_database(fresh_url: FreshUrl, together: Together) -> None:
    for _ in range(4):
        url = fresh_url()
        assert together(workers.open_fresh, *[(url,)] * 3) == [1, 1, 1]
        state = State(url)
        assert len(state.runs.of("gong", ["c1"])) == 3
        assert state.budgets.used("runs", "day") == 3
        state.close()


def test_a_database_half_made_is_completed(url: str) -> None:
    State(url).close()
    engine = sa.create_engine(url)
    made = set(tables.metadata.tables.values())
    tables.metadata.drop_all(engine, list(made - {tables.watermarks}))
    assert sa.inspect(engine).get_table_names() == ["watermarks"]
    State(url).close()
    found = sa.inspect(engine)
    assert set(found.get_table_names()) == set(tables.metadata.tables)
    assert {i["name"] for i in found.get_indexes("ledger")} >= {"ledger_due", "ledger_dirty"}
    engine.dispose()


def test_several_processes_write_at_once(url: str, together: Together) -> None:
    """ "database is locked" (SQLite) or a deadlock (PostgreSQL) would fail one of them."""
    rounds = 60
    done = together(workers.write_ledger, *[(url, f"p{n}", rounds) for n in range(3)])
    assert done == [rounds] * 3
    state = State(url)
    assert state.ledger.counts("gong") == {"listed": 3 * rounds}
    state.close()


def test_nobody_interleaves_with_a_transaction(url: str, together: Together) -> None:
    state = State(url)
    with state.write() as connection:
        counter = {"name": "counter", "holder": "0", "until": NOON}
        state.upsert(connection, tables.leases, [counter], None)
    assert together(workers.count_up, *[(url, 40)] * 3) == [40] * 3
    with state.read() as connection:
        assert connection.execute(sa.select(tables.leases.c.holder)).scalar_one() == "120"
    state.close()


def test_threads_share_one_state(state: State) -> None:
    with ThreadPoolExecutor(12) as pool:
        granted = list(pool.map(lambda _: state.budgets.spend("runs", 30), range(48)))
    assert sum(granted) == 30


@pytest.mark.parametrize("url", ["", "not a url", "sqlite", "mysql://me@localhost/state"])
def test_a_wrong_url_names_the_connection(url: str) -> None:
    with pytest.raises(Misconfigured, match="state_default"):
        State(url)


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    broken = tmp_path / "state.db"
    broken.mkdir()
    with pytest.raises(TryAgain, match="state_default"):
        State(f"sqlite:///{broken}")


def test_a_server_that_does_not_answer() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # and nobody listens
        port = silent.getsockname()[1]
        with pytest.raises(TryAgain, match="state_default") as caught:
            State(f"postgresql+psycopg2://me:secret@127.0.0.1:{port}/state")
    assert "secret" not in str(caught.value)


def test_a_user_who_may_not_make_tables(cluster: Cluster) -> None:
    cluster.execute("CREATE ROLE reader LOGIN", "CREATE SCHEMA locked AUTHORIZATION tests")
    url = sa.make_url(cluster.url("locked")).set(username="reader")
    cluster.execute("GRANT USAGE ON SCHEMA locked TO reader")
    with pytest.raises(Misconfigured, match="GRANT CREATE"):
        State(url.render_as_string(hide_password=False))


# PostgreSQL only: with SQLite there is no server that could end, and a dead process locks nothing.
@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_server_that_ends_connections(state: State, cluster: Cluster) -> None:
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )

    def cut_off() -> None:
        with state.write() as connection:
            cluster.execute(end)
            connection.execute(sa.select(1))

    with pytest.raises(TryAgain, match="state_default"):
        cut_off()
    assert state.budgets.spend("runs", 1) == 1
    cluster.execute(end)
    assert state.budgets.spend("runs", 1) == 0, "an idle connection that died is replaced"


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_worker_that_vanished_does_not_lock_out_the_others(url: str) -> None:
    """PostgreSQL only: a machine that is gone says nothing; its transaction stays open."""
    gone, other = State(url), State(url)
    transaction = gone.write()
    held = transaction.__enter__()
    patience = held.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar()
    assert patience == f"{store.VANISHED_SECONDS}s"
    # Shorter from here on, and only for this one: a busy machine may pause longer than that.
    held.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = '100ms'")
    assert other.budgets.spend("runs", 1) == 1
    with pytest.raises(TryAgain):
        transaction.__exit__(None, None, None)
    gone.close()
    other.close()


def test_a_write_that_fails_leaves_nothing(state: State) -> None:
    def half() -> None:
        with state.write() as connection:
            row = {"name": "x", "holder": "me", "until": NOON}
            state.upsert(connection, tables.leases, [row], None)
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        half()
    with state.read() as connection:
        assert (
            connection.execute(sa.select(sa.func.count()).select_from(tables.leases)).scalar() == 0
        )
    with state.lease("x", 10, wait_seconds=0):
        pass


# ---------------------------------------------------------------------- watermarks

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))


@given(start=MOMENTS, moves=st.lists(MOMENTS, max_size=6))
def test_a_watermark_moves_only_forward(
    start: datetime, moves: list[datetime], state: State
) -> None:
    stream = f"s {start.isoformat()} {len(moves)} {hash(tuple(moves))}"
    state.watermarks.begin(stream, start)
    reached = start
    for moment in moves:
        assert state.watermarks.advance(stream, moment) == (moment > reached)
        reached = max(reached, moment)
        assert state.watermarks.reached(stream) == reached
    assert state.watermarks.began(stream) == start


def test_a_watermark_among_processes(url: str, together: Together) -> None:
    state = State(url)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    state.watermarks.begin("gong", start)
    moments = [[start + HOUR * (17 * n * p % 41) for n in range(40)] for p in (1, 3, 7)]
    seen = together(
        workers.advance, *[(url, "gong", [m.isoformat() for m in each]) for each in moments]
    )
    for each in seen:
        assert each == sorted(each), "it was seen to move back"
    assert state.watermarks.reached("gong") == max(max(each) for each in moments)
    state.close()


def test_a_first_run_begins_once(state: State) -> None:
    assert state.watermarks.reached("gong") is None
    assert state.watermarks.began("gong") is None
    assert state.watermarks.begin("gong", NOON) == NOON
    assert state.watermarks.begin("gong", NOON - HOUR) == NOON
    state.watermarks.advance("gong", NOON + HOUR)
    assert state.watermarks.begin("gong", NOON + 5 * HOUR) == NOON + HOUR
    assert state.watermarks.began("gong") == NOON
    assert state.watermarks.reached("salesloft") is None


def test_a_stream_that_never_began_does_not_advance(state: State) -> None:
    assert state.watermarks.advance("gong", NOON) is False
    assert state.watermarks.reached("gong") is None


def test_moments_are_compared_as_moments(state: State) -> None:
    from datetime import timezone

    east = timezone(timedelta(hours=9))
    state.watermarks.begin("gong", NOON)
    assert not state.watermarks.advance("gong", (NOON - HOUR).astimezone(east))
    assert state.watermarks.advance("gong", (NOON + HOUR).astimezone(east))
    reached = state.watermarks.reached("gong")
    assert reached == NOON + HOUR
    assert reached.utcoffset() == timedelta(0)


def test_a_naive_moment_is_refused(state: State) -> None:
    naive = datetime(2026, 1, 1)
    with pytest.raises(sa.exc.StatementError, match="tzinfo=UTC"):
        state.watermarks.begin("gong", naive)
    state.watermarks.begin("gong", NOON)
    with pytest.raises(sa.exc.StatementError, match="tzinfo=UTC"):
        state.watermarks.advance("gong", naive)
    assert state.watermarks.reached("gong") == NOON


def test_slices_are_marked_once_each(state: State) -> None:
    one, two = Window(NOON, NOON + HOUR), Window(NOON - HOUR, NOON)
    state.watermarks.mark_slice("gong", one, listed=5, landed=3)
    state.watermarks.mark_slice("gong", two, listed=1, landed=1)
    state.watermarks.mark_slice("gong", one, listed=5, landed=5)
    found = state.watermarks.slices("gong")
    assert [(s["slice_start"], s["listed"], s["landed"]) for s in found] == [
        (NOON - HOUR, 1, 1),
        (NOON, 5, 5),
    ]
    assert state.watermarks.slices("chorus") == []


# ---------------------------------------------------------------------- leases


def test_a_lease_is_exclusive_and_released(state: State) -> None:
    with (
        state.lease("x", 60, wait_seconds=0),
        state.lease("y", 60, wait_seconds=0),
        pytest.raises(TryAgain, match="another task holds x"),
        state.lease("x", 60, wait_seconds=0),
    ):
        pass
    with state.lease("x", 60, wait_seconds=0):
        pass


def test_a_lease_ends_with_its_work_s_failure(state: State) -> None:
    with pytest.raises(RuntimeError), state.lease("x", 60, wait_seconds=0):
        raise RuntimeError("boom")
    with state.lease("x", 60, wait_seconds=0):
        pass


def test_a_lease_of_one_who_died_expires(state: State, clock: Clock) -> None:
    dead = state.lease("x", 60, wait_seconds=0)
    dead.__enter__()
    clock.advance(59)
    with pytest.raises(TryAgain), state.lease("x", 60, wait_seconds=0):
        pass
    clock.advance(2)
    with state.lease("x", 60, wait_seconds=0):
        # The dead one wakes up after all: it must not take away what is another's now.
        dead.__exit__(None, None, None)
        with pytest.raises(TryAgain), state.lease("x", 60, wait_seconds=0):
            pass


def test_waiting_for_a_lease(state: State) -> None:
    def late() -> float:
        with state.lease("x", 60, wait_seconds=10):
            return time.monotonic()

    with ThreadPoolExecutor(1) as pool:
        with state.lease("x", 60, wait_seconds=0):
            waiting = pool.submit(late)
            time.sleep(0.15)
            assert not waiting.done()
            released = time.monotonic()
        assert waiting.result(10) >= released


def test_a_lease_among_processes(url: str, together: Together) -> None:
    held = together(workers.hold_lease, *[(url, "renew acme", 5)] * 3)
    spans = sorted(span for each in held for span in each)
    assert len(spans) == 15
    for (_, end), (begin, _) in pairwise(spans):
        assert begin >= end, "two held it at once"
