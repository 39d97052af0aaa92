"""What grows is built in steps, and comes out as if it had been built at once.

Each step lands rows as the pipeline does (a batch has one stamp, a row that changes gets the
stamp of its new batch) and builds; a copy of the landing tables is then built from nothing.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

pytestmark = [pytest.mark.slow, pytest.mark.long]

MARTS = (
    "dim_reps", "dim_kits", "dim_bricks", "dim_dates",
    "fct_conversations", "fct_brick_values", "fct_scoring_runs",
    "agent_daily_scorecards", "conversation_explorer", "pipeline_health",
    "bridge_conversation_opportunities", "fct_claims",
)  # fmt: skip
GROWING = (
    "fct_conversations", "fct_brick_values", "fct_scoring_runs",
    "agent_daily_scorecards", "conversation_explorer",
)  # fmt: skip
# The marts behind these are tables, made anew by each build: nothing to compare.
SELECTED = tuple(f"+{mart}" for mart in MARTS)
FIRST_BATCH = datetime(2026, 3, 3, 16, tzinfo=UTC)


class History:
    """A warehouse that rows land in, batch by batch, and dbt builds on."""

    def __init__(self, landing: Any, run_dbt: Any, project: Path, folder: Path) -> None:
        self.landing = landing
        self.project = project
        self._own_project = folder / "project"
        self.warehouse = folder / "warehouse.duckdb"
        self.tables = {table.name: table for table in landing.tables()}
        self._run_dbt = run_dbt
        self._kept = folder / "kept.duckdb"
        # One folder for all its builds, so that dbt parses the project once.
        self._target = folder / "target"
        self._stamp = FIRST_BATCH
        self._began = FIRST_BATCH
        kits = yaml.safe_load((project / "dbt_project.yml").read_text())["vars"]["kits"]
        known = {kit.name.removeprefix("scores__") for kit in landing.kits}
        # The first build makes these; no later one has anything to do for them.
        self._never_landed = [f"int_{kit}_scores__latest" for kit in kits if kit not in known]
        assert self._never_landed

    def edit(self, file: str, old: str, new: str) -> None:
        """Change a file of the project, from here on: in a copy of its own."""
        if self.project != self._own_project:
            shutil.copytree(self.project, self._own_project)
            self.project = self._own_project
        before, found, after = (self.landing.project / file).read_text().rpartition(old)
        assert found, f"{file} has no {old!r}"
        text = before + new + after
        is_of_models = file.startswith("models/") and file.endswith(".yml")
        changed = self.landing.without_tests(text) if is_of_models else text
        (self.project / file).write_text(changed)

    @contextmanager
    def batch(self, late: timedelta | None = None) -> Iterator[Batch]:
        """A batch an hour after the last one; ``late`` has an older stamp, and lands only now."""
        self._stamp += timedelta(hours=1)
        with duckdb.connect(str(self.warehouse)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            yield Batch(self, connection, self._stamp - (late or timedelta()))

    def build(self, *more: str, views: bool = False, without: Sequence[str] = ()) -> None:
        """Build what grows, and the tables that it reads.

        Their views stay as they are, unless ``views``: they want it where a landing table came,
        went or changed its columns, or where another version of the project built last.
        """
        excluded = [*without]
        if not views:
            excluded += ["config.materialized:view", *self._never_landed]
        self._began = datetime.now(UTC)
        ended = self._run_dbt(
            "--no-write-json", "build", *more, "--select", *SELECTED,
            *(["--exclude", *excluded] if excluded else []),
            warehouse=self.warehouse, project=self.project, target=self._target,
        )  # fmt: skip
        assert ended.code == 0, ended.output

    def build_and_compare(self, *, views: bool = False) -> dict[str, int]:
        """Build in place and from nothing; returns how many rows of each mart were written."""
        self.build(views=views)
        grown, written = self.marts(), self.written_last()
        assert grown["fct_conversations"][1], "the guard: there is something to compare"
        # In the same place, or dbt would parse the project again.
        shutil.copy(self.warehouse, self._kept)
        with duckdb.connect(str(self.warehouse)) as connection:
            for schema, table in connection.execute(
                "select table_schema, table_name from information_schema.tables "
                "where table_type = 'BASE TABLE' "
                "and table_schema in ('staging', 'intermediate', 'marts', 'workforce')"
            ).fetchall():
                if table not in self._never_landed:
                    connection.execute(f"drop table {schema}.{table}")
        self.build()
        for mart, (types, expected) in self.marts().items():
            assert grown[mart][0] == types, mart
            rows = grown[mart][1]
            assert rows == expected, f"{mart}: {difference(rows, expected)}"
        shutil.copy(self._kept, self.warehouse)
        return written

    def marts(self) -> dict[str, tuple[dict[str, str], list[Any]]]:
        """The columns' types and the rows of each, without the moment at which they were built."""
        found = {}
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            for mart in MARTS:
                types = {
                    name: str(type_)
                    for name, type_, *_ in connection.execute(f"describe marts.{mart}").fetchall()
                }
                kept = sorted(types.keys() - ({"built_at"} if mart in GROWING else set()))
                rows = connection.execute(f"select {', '.join(kept)} from marts.{mart}").fetchall()
                named = (tuple(zip(kept, row, strict=True)) for row in rows)
                found[mart] = (types, sorted(named, key=repr))
        return found

    def written_last(self) -> dict[str, int]:
        """How many rows of each mart the last build wrote."""
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            return {
                mart: connection.execute(
                    f"select count(*) from marts.{mart} where built_at >= ?", [self._began]
                ).fetchall()[0][0]
                for mart in GROWING
            }


class Batch:
    """Rows that land together."""

    def __init__(
        self, history: History, connection: duckdb.DuckDBPyConnection, stamp: datetime
    ) -> None:
        self._history = history
        self._connection = connection
        self.stamp = stamp.isoformat()

    def land(self, table: str, *rows: Any) -> None:
        """Merge on the table's key."""
        declared = self._history.tables[table]
        for row in rows:
            given = " and ".join(f"{name} is not distinct from ?" for name in declared.key)
            key = [row.get(name) for name in declared.key]
            self._connection.execute(f"delete from {declared.qualified} where {given}", key)
            self._history.landing.insert(
                self._connection, declared, {**row, "_loaded_at": self.stamp}
            )

    def change(self, table: str, where: str, **values: Any) -> None:
        """Rows that land again, with other values."""
        values["_loaded_at"] = self.stamp
        assignments = ", ".join(f"{name} = ?" for name in values)
        changed = self._connection.execute(
            f"update landing.{table} set {assignments} where {where}", list(values.values())
        ).fetchone()
        assert changed != (0,), f"nothing in {table} where {where}"

    def remove(self, table: str, where: str) -> None:
        removed = self._connection.execute(f"delete from landing.{table} where {where}").fetchone()
        assert removed != (0,), f"nothing in {table} where {where}"

    def execute(self, sql: str) -> list[Any]:
        return self._connection.execute(sql).fetchall()

    def score(self, kit: int, version: str, vendor: str, name: str, at: str, bricks: Any) -> None:
        declared = self._history.landing.kits[kit]
        rows: dict[str, list[Any]] = {
            "semarize__runs": [], "semarize__signals": [], declared.name: [],
        }  # fmt: skip
        self._history.landing.scored(rows, declared, version, vendor, name, at, bricks)
        for table, landed in rows.items():
            self.land(table, *landed)


def difference(found: list[Any], expected: list[Any]) -> str:
    surplus = [row for row in found if row not in expected][:2]
    missing = [row for row in expected if row not in found][:2]
    return f"\n  in the grown one only: {surplus}\n  in the fresh one only: {missing}"


@pytest.fixture(scope="module")
def project(landing: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(landing.models_alone(tmp_path_factory.mktemp("models") / "project"))


@pytest.fixture(scope="module")
def first_build(
    landing: Any, run_dbt: Any, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The warehouse that each history begins with: landed, and built once from nothing."""
    history = History(landing, run_dbt, project, tmp_path_factory.mktemp("first"))
    landing.write(history.warehouse, landing.tables(), landing.rows())
    history.build(views=True)
    assert min(history.written_last().values()) > 0
    return history.warehouse


@pytest.fixture
def history(
    landing: Any, run_dbt: Any, project: Path, first_build: Path, tmp_path: Path
) -> History:
    made = History(landing, run_dbt, project, tmp_path)
    shutil.copy(first_build, made.warehouse)
    return made


def test_steps_come_to_the_same_as_one_build(history: History) -> None:
    landing = history.landing
    history.build(views=True)
    assert set(history.written_last().values()) == {0}, "nothing had landed"

    # New, and late: this batch was stamped before the one that was read last.
    with history.batch(late=timedelta(hours=3)) as batch:
        batch.land(
            "gong__conversations",
            landing.conversation("gong", "n1", "2026-03-01T09:00:00Z", owner_id="u1"),
        )
        batch.land("gong__utterances", *landing.said("n1", ("Ana", "rep", 0.0, 30.0)))
        batch.land(
            "ledger",
            landing.ledger(
                "gong", "n1", "landed", "2026-03-01T09:00:00Z", landed_at="2026-03-03T13:00:00Z"
            ),
        )
        batch.score(
            0, "iq-v1", "gong", "n1", "2026-03-03T13:05:00Z",
            landing.quality(0.5, 0.25, True, 0.75, "refund"),
        )  # fmt: skip
    history.build()
    assert history.written_last() == {
        "fct_conversations": 1, "fct_brick_values": 5, "fct_scoring_runs": 1,
        "agent_daily_scorecards": 1, "conversation_explorer": 1,
    }  # fmt: skip

    # Scored again by a version with fewer bricks; changed in content, owner and day; a shorter
    # transcript; a failed run that went well; and an address by which a rep is somebody else.
    with history.batch() as batch:
        batch.score(
            0, "iq-v3", "callminer", "m1", "2026-03-05T10:00:00Z",
            {"compliance_score": 0.25, "topic_primary": "delivery"},
        )  # fmt: skip
    with history.batch() as batch:
        batch.change(
            "gong__conversations", "conversation_id = 'g1'",
            started_at="2026-03-04T09:00:00Z", owner_id="u2", owner_email="bo@acme.test",
            title="Discovery, corrected", _content_hash="other",
        )  # fmt: skip
        batch.remove("gong__utterances", "conversation_id = 'g1' and position = 2")
        batch.change("gong__utterances", "conversation_id = 'g1'", _content_hash="other")
        batch.change("semarize__runs", "idempotency_key = 'chorus:h1:1'", status="succeeded")
        batch.change("ledger", "conversation_id = 'g2'", status="expired")
        batch.change(
            "callminer__conversations", "conversation_id = 'm6'",
            owner_name="Agent A2, known", owner_email="a2@acme.test",
        )  # fmt: skip
        batch.change("callminer__conversations", "conversation_id = 'm3'", started_at=
                     "2026-03-01T12:00:00Z")  # fmt: skip
    history.build_and_compare()

    # One rep's address becomes known through a new conversation: her old ones follow.
    with history.batch() as batch:
        batch.land(
            "callminer__conversations",
            landing.conversation(
                "callminer", "m7", "2026-03-06T09:00:00Z", owner_id="A1",
                owner_name="Ines", owner_email="ines@acme.test",
            ),
        )  # fmt: skip
    history.build()
    written = history.written_last()
    assert written["fct_conversations"] == written["conversation_explorer"] == 5
    assert written["fct_brick_values"] == 0

    # Gone: at the vendor, which the ledger knows; from landing, with everything that hung on it;
    # a single signal; all of a run's signals.
    with history.batch() as batch:
        batch.change("ledger", "conversation_id = 's1'", status="deleted")
        for table in (
            "callminer__conversations", "callminer__utterances", "ledger",
            "semarize__runs", "semarize__signals", "scores__interaction_quality",
        ):  # fmt: skip
            batch.remove(table, "conversation_id = 'm2'")
        batch.remove("semarize__signals", "run_id = 'run-iq-v1-m4' and brick_key = 'empathy_score'")
        batch.remove("semarize__signals", "run_id = 'run-iq-v2-m3'")
        # A vendor that is not connected any more.
        batch.execute("drop table landing.chorus__conversations")
        batch.execute("drop table landing.chorus__utterances")
    history.build_and_compare(views=True)


def test_any_steps_come_to_the_same_as_one_build(history: History) -> None:
    """Changes at random, several to a step, over the same few conversations."""
    choose = random.Random(7)
    for _ in range(2):
        for _ in range(choose.randint(3, 6)):
            late = timedelta(hours=choose.choice([0, 0, 2, 50]))
            with history.batch(late=late) as batch:
                for _ in range(choose.randint(1, 5)):
                    choose.choice(CHANGES)(choose, history.landing, batch)
        history.build_and_compare()


def any_conversation(choose: random.Random, batch: Batch, table: str) -> str | None:
    names = [row[0] for row in batch.execute(f"select conversation_id from landing.{table}")]
    return choose.choice(sorted(set(names))) if names else None


def a_moment(choose: random.Random) -> str:
    return f"2026-03-0{choose.randint(1, 6)}T{choose.randint(0, 23):02}:30:00Z"


def arrives(choose: random.Random, landing: Any, batch: Batch) -> None:
    vendor = choose.choice(landing.vendors)
    name, started_at = f"x{choose.randint(1, 9)}", a_moment(choose)
    owner = choose.choice(["u1", "u9", None])
    known = {"owner_id": owner, "owner_name": choose.choice(["Ana", "Zoe"])}
    if choose.random() < 0.3:
        known["owner_email"] = choose.choice(["ana@acme.test", "zoe@acme.test"])
    batch.land(f"{vendor}__conversations", landing.conversation(vendor, name, started_at, **known))
    batch.land("ledger", landing.ledger(vendor, name, "landed", started_at, landed_at=started_at))
    turns = [("Rep", "rep", float(n), n + 0.5) for n in range(choose.randint(1, 4))]
    batch.execute(f"delete from landing.{vendor}__utterances where conversation_id = '{name}'")
    batch.land(f"{vendor}__utterances", *landing.said(name, *turns))


def is_scored(choose: random.Random, landing: Any, batch: Batch) -> None:
    vendor = choose.choice(landing.vendors)
    name = any_conversation(choose, batch, f"{vendor}__conversations") or "nowhere"
    kit = choose.randint(0, 1)
    bricks = (
        landing.quality(choose.randint(0, 8) / 8, 0.5, True, 0.25, choose.choice(["a", "b"]))
        if kit == 0
        else {"overall_score": choose.randint(0, 110), "risk_flag": True}
    )
    if choose.random() < 0.5:
        bricks.popitem()
    batch.score(kit, f"v{choose.randint(1, 3)}", vendor, name, a_moment(choose), bricks)


def changes(choose: random.Random, landing: Any, batch: Batch) -> None:
    vendor = choose.choice(landing.vendors)
    if name := any_conversation(choose, batch, f"{vendor}__conversations"):
        values = choose.choice(
            [
                {"started_at": a_moment(choose)},
                {"owner_id": choose.choice(["u1", "u2"]), "owner_email": None},
                {"owner_name": "Another", "channel": "chat"},
            ]
        )
        batch.change(f"{vendor}__conversations", f"conversation_id = '{name}'", **values)


def moves_on(choose: random.Random, landing: Any, batch: Batch) -> None:
    if name := any_conversation(choose, batch, "ledger"):
        status = choose.choice(["deleted", "pending", "expired", "absent"])
        batch.change("ledger", f"conversation_id = '{name}'", status=status)


def goes(choose: random.Random, landing: Any, batch: Batch) -> None:
    table = choose.choice(
        [
            "gong__conversations", "callminer__utterances", "ledger", "semarize__runs",
            "semarize__signals", "scores__interaction_quality", "scores__deal_signals",
        ]
    )  # fmt: skip
    if name := any_conversation(choose, batch, table):
        batch.remove(table, f"conversation_id = '{name}'")


CHANGES: tuple[Callable[[random.Random, Any, Batch], None], ...] = (
    arrives, arrives, is_scored, is_scored, changes, moves_on, goes,
)  # fmt: skip


def test_a_new_brick_and_a_new_scale_change_history(history: History) -> None:
    """The brick had landed for a while before it was wanted: the old rows have it too."""
    with history.batch() as batch:
        batch.execute("alter table landing.scores__interaction_quality add column effort double")
        batch.change("scores__interaction_quality", "conversation_id = 'm1'", effort=0.5)
    history.build(views=True)

    history.edit(
        "dbt_project.yml", "topic_primary: text", "topic_primary: text\n      effort: float"
    )
    history.edit(
        "models/marts/scorecards/_scorecards__models.yml",
        "      - name: built_at\n",
        "      - name: effort\n        description: Effort.\n        data_type: double\n"
        "      - name: effort_normalised\n        description: Effort from 0 to 1.\n"
        "        data_type: double\n"
        "      - name: built_at\n",
    )
    history.edit("seeds/brick_scales.csv", "overall_score,0,100", "overall_score,0,200")
    written = history.build_and_compare(views=True)
    assert written["fct_brick_values"] == 6 * 5 + 3 * 5
    assert written["fct_conversations"] == 0
    with duckdb.connect(str(history.warehouse), read_only=True) as connection:
        found = connection.execute(
            "select effort, conversation_id from marts.conversation_explorer "
            "where effort is not null"
        ).fetchall()
    assert found == [(0.5, "m1")]


def test_the_explorer_follows_the_crm_where_nothing_lands(history: History) -> None:
    with history.batch() as batch:
        batch.execute("create schema if not exists reference")
        batch.execute(
            "create table reference.crm_opportunities as select '006A' as opportunity_id, "
            "'001A' as account_id, null as owner_user_id, null as owner_email, 'Globex' as name, "
            "null as product, 'new' as deal_type, null as segment, 'Proposal' as stage, "
            "900.0 as amount_usd, 3 as seats, false as is_closed, false as is_won, "
            "date '2026-02-01' as created_on, null as expected_close_on, null as closed_on, "
            "date '2026-02-01' as known_from, null as known_until"
        )
    written = history.build_and_compare(views=True)
    assert (written["conversation_explorer"], written["fct_conversations"]) == (1, 0)
    with history.batch() as batch:
        batch.execute("update reference.crm_opportunities set stage = 'Closed Won', is_won = true")
    assert history.build_and_compare()["conversation_explorer"] == 1
    with duckdb.connect(str(history.warehouse), read_only=True) as connection:
        found = connection.execute(
            "select conversation_id, opportunity_stage, is_opportunity_won, link_method "
            "from marts.conversation_explorer where opportunity_name = 'Globex'"
        ).fetchall()
    assert found == [("g1", "Closed Won", True, "opportunity_id")]


def test_a_failed_model_catches_up_after_an_empty_build(history: History) -> None:
    """The facts were built and the explorer was not: the next build owes it the same rows.

    Batches are looked for three hours back only, which is far enough here.
    """
    history.edit("dbt_project.yml", "late_batch_hours: null", "late_batch_hours: 3")
    with history.batch() as batch:
        batch.change("gong__conversations", "conversation_id = 'g3'", title="Renamed")
    history.build(views=True, without=("conversation_explorer", "agent_daily_scorecards"))
    with history.batch() as batch:
        batch.change("gong__conversations", "conversation_id = 'g1'", title="Renamed too")
    # A build without rows must not take their absence for a removal.
    history.build("--empty", views=True)
    history.build_and_compare(views=True)
