"""One DuckDB file and many who want it: turns, names of those who hold it, and patience."""

from __future__ import annotations

import base64
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit import workers
from unit.conftest import Together
from unit.support import NOON

from semarize_pipeline.errors import Misconfigured, TryAgain
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
from semarize_pipeline.warehouse.port import DbtTarget, Json, Load, Removal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "warehouse.duckdb"


IDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


def test_a_key_is_found_wherever_it_sorts(path: Path) -> None:
    """Blocks of rows are skipped by the least and greatest key that come, in DuckDB's own order."""
    said = tables.utterances("gong")
    batches = st.lists(
        st.dictionaries(IDS, st.integers(1, 2), min_size=1, max_size=4), min_size=2, max_size=3
    )
    with DuckDBWarehouse(path).open("test") as session:
        session.ensure([said])

        @settings(max_examples=12)
        @given(batches=batches)
        def check(batches: list[dict[str, int]]) -> None:
            session.query(f"delete from {said.qualified}")
            expected: dict[str, list[str]] = {}
            for number, batch in enumerate(batches):
                own = {"text": f"{number}", "_content_hash": f"{number}"}
                rows = [
                    {"conversation_id": id_, "position": n, **own}
                    for id_, many in batch.items()
                    for n in range(many)
                ]
                session.land([Load(said, rows, whole="conversation_id")])
                expected |= {id_: [own["text"]] * many for id_, many in batch.items()}
            found: dict[str, list[str]] = {}
            columns = ["conversation_id", "text"]
            for row in session.find(said, columns, "conversation_id", [*expected]):
                found.setdefault(row["conversation_id"], []).append(row["text"])
            assert found == expected

        check()


@contextmanager
def foreign(path: Path) -> Iterator[int]:
    """Another program with the file open, which knows nothing of our lock; its process id."""
    code = f"import duckdb; c = duckdb.connect({str(path)!r}); print('open', flush=True); input()"
    program = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert program.stdin is not None
    assert program.stdout is not None
    try:
        assert program.stdout.readline() == "open\n"
        yield program.pid
    finally:
        program.communicate("\n", timeout=20)


def test_several_processes_land_at_once(path: Path, together: Together) -> None:
    done = together(workers.land, *[(str(path), f"p{n}", 4, 50) for n in range(3)])
    assert done == [200, 200, 200]
    with DuckDBWarehouse(path).open("a test") as session:
        found = session.query(
            "select vendor, count(*) as n, count(distinct conversation_id) as ids "
            "from landing.ledger group by 1 order by 1"
        )
    assert found == [{"vendor": f"p{n}", "n": 200, "ids": 200} for n in range(3)]
    assert not Path(f"{path}.holder").exists()


def test_threads_take_turns(path: Path) -> None:
    failed: list[BaseException] = []

    def work(name: str) -> None:
        try:
            workers.land(str(path), name, 3, 10)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with DuckDBWarehouse(path).open("a test") as session:
        assert session.query("select count(*) as n from landing.ledger") == [{"n": 120}]


def test_waiting_in_vain_names_the_holder(path: Path) -> None:
    with DuckDBWarehouse(path).open("land 200 conversations of gong"):
        began = time.monotonic()
        with (
            pytest.raises(TryAgain, match="land 200 conversations of gong") as caught,
            DuckDBWarehouse(path, wait_seconds=0.3).open("another"),
        ):
            pass
        assert 0.25 < time.monotonic() - began < 5
    told = str(caught.value)
    assert f"process {os.getpid()} " in told
    assert str(path) in told
    assert "run this again" in told


@pytest.mark.parametrize("note", ["", "{}", "[]", "null", "not json", None])
def test_a_holder_whose_note_cannot_be_read(note: str | None, path: Path) -> None:
    with DuckDBWarehouse(path).open("x"):
        file = Path(f"{path}.holder")
        file.unlink() if note is None else file.write_text(note)
        with (
            pytest.raises(TryAgain, match="left no note"),
            DuckDBWarehouse(path, wait_seconds=0.05).open("another"),
        ):
            pass


def test_waiting_in_line_succeeds(path: Path) -> None:
    entered: list[float] = []

    def late() -> None:
        with DuckDBWarehouse(path, wait_seconds=20).open("late"):
            entered.append(time.monotonic())

    thread = threading.Thread(target=late)
    with DuckDBWarehouse(path).open("first"):
        thread.start()
        time.sleep(0.2)
        assert entered == []
        released = time.monotonic()
    thread.join()
    assert entered[0] >= released


def test_another_program_is_named(path: Path) -> None:
    path.parent.mkdir()
    with foreign(path) as pid:
        with (
            pytest.raises(TryAgain, match="another program has the warehouse file open") as caught,
            DuckDBWarehouse(path, wait_seconds=0.3).open("a test"),
        ):
            pass
        assert str(pid) in str(caught.value)
        assert "python" in str(caught.value)
    with DuckDBWarehouse(path).open("a test") as session:
        assert session.query("select 1 as one") == [{"one": 1}], "its lock was not kept"


def test_another_program_that_closes_in_time(path: Path) -> None:
    path.parent.mkdir()
    with foreign(path):
        opened: list[bool] = []

        def work() -> None:
            with DuckDBWarehouse(path, wait_seconds=20).open("patient"):
                opened.append(True)

        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(0.3)
        assert opened == []
    thread.join()
    assert opened == [True]


def test_a_file_that_is_no_warehouse_is_not_waited_for(tmp_path: Path) -> None:
    """A path with "lock" in it must not make every fault look like a lock."""
    broken = tmp_path / "blocks" / "warehouse.duckdb"
    broken.parent.mkdir()
    broken.write_bytes(b"this is no database" * 1000)
    began = time.monotonic()
    with pytest.raises(duckdb.Error), DuckDBWarehouse(broken, wait_seconds=30).open("a test"):
        pass
    assert time.monotonic() - began < 5


def test_holding_gives_the_closed_file_to_another_program(path: Path) -> None:
    warehouse = DuckDBWarehouse(path, wait_seconds=0.2)
    with warehouse.open("prepare") as session:
        session.ensure([tables.LEDGER])
        session.land(
            [Load(tables.LEDGER, [{"vendor": "gong", "conversation_id": "c", "listed_at": NOON}])]
        )
    with warehouse.for_dbt("dbt build") as target:
        assert target == DbtTarget("duckdb", {"DBT_DUCKDB_PATH": str(path)})
        with pytest.raises(TryAgain, match="dbt build"), warehouse.open("land"):
            pass
        code = (
            f"import duckdb; c = duckdb.connect({str(path)!r}); "
            "c.execute('create table made as select * from landing.ledger')"
        )
        subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
    with warehouse.open("look") as session:
        assert session.query("select count(*) as n from made") == [{"n": 1}]


def test_a_failure_gives_the_file_back(path: Path) -> None:
    warehouse = DuckDBWarehouse(path, wait_seconds=0.2)
    with pytest.raises(RuntimeError), warehouse.open("a test"):
        raise RuntimeError("boom")
    with pytest.raises(RuntimeError), warehouse.for_dbt("a test"):
        raise RuntimeError("boom")
    with warehouse.open("again"):
        assert Path(f"{path}.holder").exists()
    assert not Path(f"{path}.holder").exists()


def test_a_holder_that_was_killed_blocks_nobody(path: Path) -> None:
    code = (
        "import os; from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse\n"
        f"with DuckDBWarehouse({str(path)!r}).open('doomed'): os._exit(9)"
    )
    include = Path(__file__).resolve().parents[3] / "include"
    killed = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(include)}, timeout=30
    )
    assert killed.returncode == 9
    with DuckDBWarehouse(path, wait_seconds=0.5).open("next") as session:
        assert session.query("select 1 as one") == [{"one": 1}]


def test_moments_are_in_utc_whatever_the_machine_s_zone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        with DuckDBWarehouse(path).open("a test") as session:
            session.ensure([tables.LEDGER])
            row = {"vendor": "gong", "conversation_id": "c", "listed_at": NOON}
            session.land([Load(tables.LEDGER, [row])])
            found = session.query(
                "select listed_at, strftime(listed_at, '%H:%M') as told from landing.ledger"
            )
        assert found == [{"listed_at": NOON, "told": "12:00"}]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_file_that_was_never_made_whole_is_made_anew(tmp_path: Path) -> None:
    """What a task leaves that was killed while it made the file."""
    (tmp_path / "warehouse.duckdb.new").write_bytes(b"half a header")
    with DuckDBWarehouse(tmp_path / "warehouse.duckdb").open("test") as session:
        assert session.query("select 1 as one") == [{"one": 1}]
    assert not (tmp_path / "warehouse.duckdb.new").exists()


def test_a_log_that_was_left_behind_is_put_aside(path: Path) -> None:
    """Whoever takes the file away, to begin anew, need not know of the log beside it."""
    log = path.with_name(f"{path.name}.wal")
    with DuckDBWarehouse(path).open("test") as session:
        session.ensure([tables.QUARANTINE])
    assert log.exists(), "the guard: what was done last stands in the log"
    path.unlink()
    with DuckDBWarehouse(path).open("test") as session:
        found = session.query("select count(*) as n from information_schema.tables")
    assert found == [{"n": 0}]
    assert path.with_name(f"{log.name}.without_its_file").exists()


def test_a_log_of_another_file_is_named_with_what_to_do(path: Path) -> None:
    """A backup of the file alone, put back beside a log that has gone on."""
    with DuckDBWarehouse(path).open("test") as session:
        session.ensure([tables.QUARANTINE])
    backup = path.read_bytes()
    with duckdb.connect(str(path)) as other:
        other.execute("checkpoint")
    with DuckDBWarehouse(path).open("test") as session:
        session.ensure([tables.LOADS])
    path.write_bytes(backup)
    with (
        pytest.raises(Misconfigured, match=r"\.wal does not belong .* reconcile"),
        DuckDBWarehouse(path).open("test"),
    ):
        pass


def test_what_is_removed_stays_in_no_log_either(path: Path) -> None:
    """What has landed waits in DuckDB's log beside the file; erasing must reach it there."""
    words, log = b"nobody may read this any more", path.with_name(f"{path.name}.wal")
    row = {"quarantine_id": "q", "vendor": "gong", "conversation_id": "c", "reason": words.decode()}
    with DuckDBWarehouse(path).open("land") as session:
        session.ensure([tables.QUARANTINE])
        session.land([Load(tables.QUARANTINE, [row])])
    assert words in log.read_bytes(), "the guard: it was there"
    with DuckDBWarehouse(path).open("look") as session:
        assert len(session.query("select * from landing.quarantine")) == 1
    with DuckDBWarehouse(path).open("erase") as session:
        gone = Removal(tables.QUARANTINE, "conversation_id", ["c"], vendor="gong")
        assert session.remove([gone]) == [1]
    assert not log.exists() or words not in log.read_bytes()


MEGABYTES = 18
"""Of words and JSON in one load: more than the log takes before it is folded in."""


def a_load(number: int) -> Load:
    """Words that no compression makes small, of conversations that nobody had."""
    dice = random.Random(number)
    rows = [
        {
            "conversation_id": f"{number:04}-{n:04}",
            "started_at": NOON,
            "transcript": base64.b85encode(dice.randbytes(8_000)).decode(),
            "raw": Json('"' + dice.randbytes(5_000).hex() + '"'),
            "_content_hash": str(number),
        }
        for n in range(MEGABYTES * 50)
    ]
    return Load(tables.conversations("gong"), rows)


def blocks(path: Path) -> dict[int, set[tuple[int, int]]]:
    """Where in the file the words of each block of rows lie."""
    found: dict[int, set[tuple[int, int]]] = {}
    with duckdb.connect(str(path), read_only=True) as connection:
        for group, block, offset in connection.execute(
            "select row_group_id, block_id, block_offset "
            "from pragma_storage_info('landing.gong__conversations') "
            "where column_name = 'transcript' and segment_type = 'VARCHAR' and persistent"
        ).fetchall():
            found.setdefault(group, set()).add((block, offset))
    return found


def test_what_has_been_folded_in_is_not_written_again(path: Path) -> None:
    """DuckDB would join it with what comes: each fold would cost more, in time and memory."""
    before: dict[int, set[tuple[int, int]]] = {}
    for number in range(3):
        with DuckDBWarehouse(path).open("land") as session:
            session.ensure([tables.conversations("gong")])
            session.land([a_load(number)])
            session.query("checkpoint")
        now = blocks(path)
        assert len(now) == number + 1, "the guard: each load went into the file, as a block"
        assert {group: now[group] for group in before} == before
        before = now


PEAK = """
import sys
from pathlib import Path
from unit.warehouse.test_warehouse_duckdb import a_load
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
for number in range(int(sys.argv[2])):
    with DuckDBWarehouse(Path(sys.argv[1])).open("land") as session:
        session.ensure([tables.conversations("gong")])
        session.land([a_load(number)])
told = Path("/proc/self/status").read_text().partition("VmHWM:")[2]
print(int(told.split()[0]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_three_times_as_much_landed_takes_the_same_memory(path: Path) -> None:
    tests = Path(__file__).resolve().parents[2]
    include = tests.parent / "include"
    peaks = []
    for loads in (3, 9):
        file = path.with_name(f"{loads}.duckdb")
        done = subprocess.run(
            [sys.executable, "-c", PEAK, str(file), str(loads)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (tests, include)))},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=300,
        )
        peaks.append(int(done.stdout.split()[-1]))  # DuckDB may have drawn its progress before
    assert peaks[1] <= peaks[0] * 1.15, f"{peaks[0]} KB for 3 loads, {peaks[1]} KB for 9"


def test_a_load_that_fails_says_why(path: Path) -> None:
    """What ends a transaction by failing must not hide behind the rollback of it."""
    with DuckDBWarehouse(path).open("land") as session:
        with pytest.raises(duckdb.CatalogException, match="gong__conversations"):
            session.land([Load(tables.conversations("gong"), [{"conversation_id": "c"}])])
        assert session.query("select 1 as one") == [{"one": 1}]
