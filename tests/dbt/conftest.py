"""A small warehouse with every landing table, and the real dbt run over it once.

The rows are few and each has a reason: a shared person, a day that is another day in UTC, two
versions of a kit, a transcript that came late, an email without speakers, a score off its scale,
and one conversation in every state that the ledger knows.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import filelock
import pytest
import yaml
from company_landing import create

from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.tables import Table, Type

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "dbt"
VENDORS = ("gong", "salesloft", "clari_copilot", "callminer", "chorus")
INTERACTION_QUALITY = tables.scores(
    "interaction_quality",
    [
        ("compliance_score", Type.FLOAT),
        ("empathy_score", Type.FLOAT),
        ("resolution_achieved", Type.BOOLEAN),
        ("escalation_risk", Type.FLOAT),
        ("topic_primary", Type.TEXT),
    ],
)
DEAL_SIGNALS = tables.scores(
    "deal_signals",
    [
        ("overall_score", Type.FLOAT),
        ("risk_flag", Type.BOOLEAN),
        ("pain_point", Type.TEXT),
        ("budget_confirmed", Type.BOOLEAN),
        ("decision_maker_present", Type.BOOLEAN),
        ("pain_severity", Type.FLOAT),
        ("competitive_pressure", Type.FLOAT),
        ("timeline_urgency", Type.TEXT),
        ("next_step_confirmed", Type.BOOLEAN),
        ("competitors_mentioned", Type.TEXT),
    ],
)
KITS = (INTERACTION_QUALITY, DEAL_SIGNALS)

Row = Mapping[str, Any]
Rows = dict[str, list[Row]]


def landing_tables(vendors: Iterable[str] = VENDORS, kits: Iterable[Table] = KITS) -> list[Table]:
    """Every landing table that these vendors and kits need."""
    per_vendor = [make(vendor) for vendor in vendors for make in TABLES_OF_A_VENDOR]
    return [*per_vendor, *tables.SHARED, *kits]


TABLES_OF_A_VENDOR: tuple[Callable[[str], Table], ...] = (tables.conversations, tables.utterances)


def write_warehouse(path: Path, listed: Sequence[Table], rows: Rows) -> None:
    """Creates the landing tables in a DuckDB file and fills them."""
    with duckdb.connect(str(path)) as connection:
        create(connection, listed)
        for table in listed:
            for row in rows.get(table.name, []):
                insert(connection, table, row)


def insert(connection: duckdb.DuckDBPyConnection, table: Table, row: Row) -> None:
    """One row; what is not given is null, except for when and by whom it was loaded."""
    complete = {"_loaded_at": "2026-03-03T16:00:00Z", "_loaded_by": "run-1", **row}
    unknown = complete.keys() - set(table.column_names)
    assert not unknown, f"{table.name} has no column {unknown}"
    names = ", ".join(complete)
    values = [json.dumps(v) if isinstance(v, dict | list) else v for v in complete.values()]
    places = ", ".join("?" for _ in values)
    connection.execute(f"insert into {table.qualified} ({names}) values ({places})", values)


def conversation(vendor: str, name: str, started_at: str, **known: Any) -> Row:
    return {
        "conversation_id": name,
        "started_at": started_at,
        "channel": "voice",
        "duration_seconds": 600.0,
        "transcript_status": "ready",
        "participants": [{"name": "Rep"}, {"name": "Customer"}],
        "attributes": {},
        "raw": {"vendor": vendor},
        "_extracted_at": started_at,
        "_content_hash": f"hash-{name}",
        **known,
    }


def said(name: str, *turns: tuple[str | None, str, float | None, float | None]) -> list[Row]:
    return [
        {
            "conversation_id": name,
            "position": position,
            "speaker": speaker,
            "speaker_role": role,
            "start_seconds": start,
            "end_seconds": end,
            "text": "…",
            "_content_hash": f"{name}-{position}",
        }
        for position, (speaker, role, start, end) in enumerate(turns)
    ]


def ledger(vendor: str, name: str, status: str, started_at: str | None, **known: Any) -> Row:
    return {
        "vendor": vendor,
        "conversation_id": name,
        "status": status,
        "channel": "voice",
        "started_at": started_at,
        "listed_at": started_at or "2026-03-02T12:00:00Z",
        "tries": 1,
        "updated_at": "2026-03-03T16:00:00Z",
        **known,
    }


def load(vendor: str, name: str, finished_at: str, window_end: str, **known: Any) -> Row:
    return {
        "load_id": name,
        "vendor": vendor,
        "kind": "conversations",
        "window_start": "2026-03-01T00:00:00Z",
        "window_end": window_end,
        "requests": 1,
        "started_at": finished_at,
        "finished_at": finished_at,
        "duration_seconds": 1.0,
        **known,
    }


def scored(
    rows: Rows,
    kit: Table,
    version: str | None,
    vendor: str,
    name: str,
    finished_at: str,
    bricks: Mapping[str, Any],
    **known: Any,
) -> None:
    """A run that succeeded, as the pipeline lands it: the run, its signals and the wide row."""
    kit_name = kit.name.removeprefix("scores__")
    run_id = f"run-{version}-{name}"
    shared = {
        "vendor": vendor,
        "conversation_id": name,
        "kit_code": kit_name[:8].upper(),
        "kit_name": kit_name,
        "kit_version_id": version,
        "run_id": run_id,
    }
    rows["semarize__runs"].append(
        {
            **shared,
            "idempotency_key": f"{vendor}:{name}:{version}",
            "attempt": 1,
            "status": "succeeded",
            "submitted_at": finished_at,
            "finished_at": finished_at,
            "duration_ms": 1200,
        }
    )
    wide = {key: shared[key] for key in ("vendor", "conversation_id", "kit_version_id", "run_id")}
    rows[kit.name].append({**wide, "scored_at": finished_at, **known, **bricks})
    del shared["run_id"]
    for brick, value in bricks.items():
        column, kind = value_column(value)
        signal = {
            **shared,
            "run_id": run_id,
            "brick_key": brick,
            "value_type": kind,
            "confidence": 0.9,
            "evidence": ["a quote"],
            "scored_at": finished_at,
        }
        rows["semarize__signals"].append({**signal, column: value})


def value_column(value: Any) -> tuple[str, str]:
    if value is None or isinstance(value, bool):
        return "value_boolean", "boolean"
    if isinstance(value, int | float):
        return "value_number", "number"
    if isinstance(value, list):
        return "value_list", "list"
    return "value_text", "string"


def quality(
    compliance: float, empathy: float, resolved: bool | None, risk: float, topic: str
) -> dict[str, Any]:
    return {
        "compliance_score": compliance,
        "empathy_score": empathy,
        "resolution_achieved": resolved,
        "escalation_risk": risk,
        "topic_primary": topic,
    }


def some_rows() -> Rows:
    """Two days in March 2026: Monday the 2nd and Tuesday the 3rd."""
    rows: Rows = {table.name: [] for table in landing_tables()}
    ana = {"owner_id": "u1", "owner_name": "Ana", "owner_email": "Ana@Acme.test"}

    rows["gong__conversations"] += [
        conversation(
            "gong",
            "g1",
            "2026-03-02T09:00:00Z",
            duration_seconds=1800.0,
            **ana,
            title="Discovery",
            account_name="Globex",
            opportunity_id="006A",
            utterance_count=3,
            attributes={
                "deal_stage": "Discovery",
                "call_scope": "External",
                "language": None,
                "account_id": "001A",
                "crm_ids": {"account": "001A"},
                "recording_available": True,
            },
        ),
        # Half past midnight in Paris is still Monday in UTC. Its transcript is not there yet, and
        # this time the vendor left the owner's address out.
        conversation(
            "gong",
            "g2",
            "2026-03-03T00:30:00+01:00",
            owner_id="u1",
            transcript_status="pending",
        ),
        # The transcript of this one came a day late.
        conversation("gong", "g3", "2026-03-02T15:00:00Z", duration_seconds=1200.0, **ana),
        conversation("gong", "g4", "2026-03-02T16:00:00Z", transcript_status="absent"),
    ]
    rows["gong__utterances"] += said(
        "g1",
        ("Ana", "rep", 0.0, 60.0),
        ("Cora", "customer", 60.0, 90.0),
        ("Ana", "rep", 90.0, 120.0),
    )
    # The same person as Gong's u1, known by her address.
    rows["salesloft__conversations"].append(
        conversation(
            "salesloft",
            "s1",
            "2026-03-02T10:00:00Z",
            owner_id="11",
            owner_name="Ana",
            owner_email="ana@acme.test",
            attributes={
                "cadence_name": "Enterprise Outbound",
                "cadence_id": "77",
                "cadence_step": "Call 1",
                "step_number": 4,
                "disposition": "connected",
            },
        )
    )
    rows["clari_copilot__conversations"].append(
        conversation(
            "clari_copilot",
            "c1",
            "2026-03-03T08:00:00Z",
            channel="video",
            attributes={
                "talk_ratio_rep": 0.42,
                "talk_ratio_customer": "n/a",
                "topics": ["pricing", "security"],
                "deal_stage": "Proposal",
            },
        )
    )
    for name, started_at, channel, agent in [
        ("m1", "2026-03-02T10:00:00Z", "voice", "A1"),
        ("m2", "2026-03-02T11:00:00Z", "voice", "A1"),
        ("m3", "2026-03-02T12:00:00Z", "voice", "A1"),
        ("m4", "2026-03-02T13:00:00Z", "email", "A1"),
        ("m6", "2026-03-03T09:00:00Z", "chat", "A2"),
    ]:
        rows["callminer__conversations"].append(
            conversation(
                "callminer",
                name,
                started_at,
                channel=channel,
                duration_seconds=None if channel == "email" else 600.0,
                owner_id=agent,
                owner_name=f"Agent {agent}",
                attributes={"queue": "service", "wrap_up_codes": ["done"], "customer_id": "C9"},
            )
        )
    rows["callminer__utterances"] += [
        *said("m1", ("Agent", "rep", 0.0, 30.0), ("Caller", "customer", 30.0, 60.0)),
        *said("m2", ("Agent", "rep", 9.0, 8.0), ("Caller", "customer", 10.0, None)),
        *said("m4", (None, "unknown", None, None), (None, "unknown", None, None)),
    ]
    rows["chorus__conversations"].append(
        conversation(
            "chorus",
            "h1",
            "2026-03-02T14:00:00Z",
            channel="video",
            attributes={
                "call_type": "demo",
                "trackers": ["budget"],
                "team": "East",
                "talk_ratio": 0.6,
                "question_count": 12,
            },
        )
    )

    v1, v2 = "iq-v1", "iq-v2"
    for version, name, at, bricks in [
        (v1, "m1", "2026-03-02T10:15:00Z", quality(0.9, 0.8, True, 0.1, "refund")),
        (v1, "m2", "2026-03-02T11:15:00Z", quality(0.7, 0.6, False, 0.3, "billing")),
        (v1, "m3", "2026-03-02T12:15:00Z", quality(0.1, 0.1, False, 0.9, "stale")),
        (v2, "m3", "2026-03-03T12:00:00Z", quality(0.5, 0.4, None, 0.6, "billing")),
    ]:
        scored(
            rows, INTERACTION_QUALITY, version, "callminer", name, at, bricks,
            agent_id="A1", channel="voice",
        )  # fmt: skip
    scored(
        rows, INTERACTION_QUALITY, v1, "callminer", "m4", "2026-03-02T13:05:00Z",
        quality(0.8, 0.9, True, 0.2, "refund"), agent_id="A1", channel="email",
    )  # fmt: skip
    scored(
        rows, INTERACTION_QUALITY, v2, "callminer", "m6", "2026-03-03T09:15:00Z",
        quality(0.95, 0.85, True, 0.05, "delivery"), agent_id="A2", channel="chat",
    )  # fmt: skip
    for vendor, name, version_id, at, overall in [
        ("gong", "g1", "ds-v1", "2026-03-02T09:42:00Z", 64),
        ("gong", "g3", "ds-v1", "2026-03-03T15:25:00Z", 120),
        # Semarize does not always say which version answered.
        ("salesloft", "s1", None, "2026-03-02T10:20:00Z", 82),
    ]:
        bricks = {
            "overall_score": overall,
            "risk_flag": overall > 100,
            "pain_severity": 0.82,
            "timeline_urgency": "this quarter",
            "competitors_mentioned": ["Initech"],
        }
        scored(rows, DEAL_SIGNALS, version_id, vendor, name, at, bricks, channel="voice")
    runs = rows["semarize__runs"]
    unlucky = {"kit_code": "INTERACT", "kit_name": "interaction_quality", "attempt": 1}
    runs += [
        {
            **unlucky,
            "idempotency_key": "chorus:h1:1",
            "run_id": "run-h1",
            "vendor": "chorus",
            "conversation_id": "h1",
            "status": "failed",
            "error_code": "model_error",
            "submitted_at": "2026-03-02T14:20:00Z",
            "finished_at": "2026-03-02T14:21:00Z",
        },
        # Failed once, then went well: not a failure any more, but paid twice.
        {
            **unlucky,
            "idempotency_key": "callminer:m6:1",
            "run_id": "run-m6-failed",
            "vendor": "callminer",
            "conversation_id": "m6",
            "status": "failed",
            "submitted_at": "2026-03-03T09:11:00Z",
            "finished_at": "2026-03-03T09:12:00Z",
        },
        # Written down, and never accepted by Semarize: not paid.
        {
            **unlucky,
            "idempotency_key": "clari_copilot:c1:1",
            "vendor": "clari_copilot",
            "conversation_id": "c1",
            "status": "queued",
            "submitted_at": "2026-03-03T08:20:00Z",
        },
    ]

    rows["ledger"] += [
        ledger("gong", "g1", "landed", "2026-03-02T09:00:00Z", landed_at="2026-03-02T09:40:00Z"),
        ledger("gong", "g2", "pending", "2026-03-02T23:30:00Z"),
        ledger("gong", "g3", "landed", "2026-03-02T15:00:00Z", landed_at="2026-03-03T15:20:00Z"),
        ledger("gong", "g4", "absent", "2026-03-02T16:00:00Z"),
        ledger("gong", "g5", "deleted", "2026-03-02T17:00:00Z"),
        ledger(
            "salesloft", "s1", "landed", "2026-03-02T10:00:00Z", landed_at="2026-03-02T10:15:00Z"
        ),
        ledger("salesloft", "s2", "listed", "2026-03-02T18:00:00Z"),
        ledger(
            "clari_copilot",
            "c1",
            "landed",
            "2026-03-03T08:00:00Z",
            landed_at="2026-03-03T08:11:00Z",
        ),
        ledger("clari_copilot", "c2", "expired", "2026-03-03T08:30:00Z"),
        *(
            ledger("callminer", name, "landed", started_at, landed_at=landed_at)
            for name, started_at, landed_at in [
                ("m1", "2026-03-02T10:00:00Z", "2026-03-02T10:12:00Z"),
                ("m2", "2026-03-02T11:00:00Z", "2026-03-02T11:12:00Z"),
                ("m3", "2026-03-02T12:00:00Z", "2026-03-02T12:12:00Z"),
                ("m4", "2026-03-02T13:00:00Z", "2026-03-02T13:02:00Z"),
                ("m6", "2026-03-03T09:00:00Z", "2026-03-03T09:10:30Z"),
            ]
        ),
        ledger("chorus", "h1", "landed", "2026-03-02T14:00:00Z", landed_at="2026-03-02T14:15:00Z"),
        ledger("chorus", "h2", "private", "2026-03-02T15:00:00Z"),
        ledger("chorus", "h3", "quarantined", None),
        # A record without a readable id, under the name that it had until it was read: not a
        # conversation more.
        ledger("chorus", "unreadable:0f", "replayed", None),
    ]
    rows["quarantine"].append(
        {
            "quarantine_id": "q1",
            "vendor": "chorus",
            "conversation_id": "h3",
            "stage": "parse",
            "reason": "no start",
            "raw": {"id": "h3"},
            "quarantined_at": "2026-03-02T12:00:00Z",
        }
    )
    rows["loads"] += [
        load("gong", "l1", "2026-03-02T10:05:00Z", "2026-03-02T10:00:00Z", requests=7),
        load("gong", "l2", "2026-03-02T23:59:00Z", "2026-03-02T23:00:00Z", requests=5),
        # A backfill up to now says nothing about how far the live watermark has come.
        load(
            "gong",
            "l3",
            "2026-03-02T12:00:00Z",
            "2026-03-02T23:58:00Z",
            requests=20,
            kind="backfill",
        ),
        load("gong", "l4", "2026-03-03T16:00:00Z", "2026-03-03T15:00:00Z", requests=9),
        load("chorus", "l5", "2026-03-02T15:00:00Z", "2026-03-02T14:30:00Z", requests=3),
    ]
    return rows


@dataclass(frozen=True)
class Ended:
    """How a dbt command ended, and where it left its artifacts."""

    code: int
    output: str
    warehouse: Path
    target: Path

    def artifact(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.target / name).read_text())
        return content

    def statuses(self) -> dict[str, str]:
        results = self.artifact("run_results.json")["results"]
        return {result["unique_id"]: result["status"] for result in results}

    def query(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a query on the warehouse, as dictionaries, moments in UTC."""
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            cursor = connection.execute(sql)
            names = [column[0] for column in cursor.description or []]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


RunDbt = Callable[..., Ended]


# What dbt reads beside models, and takes longer over than over these.
_ASIDE = (
    "target", "logs", "*.duckdb*", "sandbox", "*__unit_tests.yml", "every_*.sql", "wide_*.sql",
    "_singular.yml", "_exposures.yml", "_metrics.yml", "_semantic_models.yml",
)  # fmt: skip


def models_alone(folder: Path, *only: str) -> Path:
    """A copy of the project without its tests, for builds that leave those out: parsed sooner.

    ``only`` names the models of it that are wanted, with all that they read; these, and snapshots,
    keep their data tests.
    """

    def left_out(inside: str, names: list[str]) -> set[str]:
        is_of_models = only and Path(inside).is_relative_to(PROJECT / "models")
        unwanted = {
            name for name in names
            if is_of_models and name.endswith(".sql") and name.removesuffix(".sql") not in only
        }  # fmt: skip
        return unwanted | shutil.ignore_patterns(*_ASIDE)(inside, names)

    shutil.copytree(PROJECT, folder, ignore=left_out)
    models = {file.stem for file in (folder / "models").rglob("*.sql")}
    assert models >= set(only), "the guard: they are where they are looked for"
    for file in [*folder.glob("models/**/*.yml"), *folder.glob("s*/_*.yml")]:
        told = file.read_text()
        file.write_text(described(told, only) if only else without_tests(told))
    return folder


def described(told: str, only: Sequence[str]) -> str:
    """What a file of YAML says of these models, and of all that is no model."""
    content = yaml.safe_load(told)
    if "models" in content:
        content["models"] = [model for model in content["models"] if model["name"] in only]
    return _written(content)


def without_tests(told: str) -> str:
    """What a file of YAML says, apart from data tests."""

    def kept(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: kept(value) for key, value in part.items() if key != "data_tests"}
        return [kept(each) for each in part] if isinstance(part, list) else part

    return _written(kept(yaml.safe_load(told)))


def _written(content: Any) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


@dataclass(frozen=True)
class Landing:
    """The small warehouse's parts, for a test that wants another one."""

    vendors: tuple[str, ...] = VENDORS
    kits: tuple[Table, ...] = KITS
    project: Path = PROJECT
    tables: Callable[..., list[Table]] = landing_tables
    rows: Callable[[], Rows] = some_rows
    conversation: Callable[..., Row] = conversation
    said: Callable[..., list[Row]] = said
    ledger: Callable[..., Row] = ledger
    scored: Callable[..., None] = scored
    quality: Callable[..., dict[str, Any]] = quality
    insert: Callable[[duckdb.DuckDBPyConnection, Table, Row], None] = insert
    write: Callable[[Path, Sequence[Table], Rows], None] = write_warehouse
    models_alone: Callable[..., Path] = models_alone
    without_tests: Callable[[str], str] = without_tests


@pytest.fixture(scope="session")
def landing() -> Landing:
    return Landing()


@dataclass(frozen=True)
class Parsed:
    """What dbt parsed of a project, lent to later commands: parsing takes longer than most tests.

    dbt parses anew what a file, a variable or the environment changes. A warehouse is therefore
    always at the same path, ``~/warehouse.duckdb``, in a home that each command has of its own.
    """

    kept: Path

    @classmethod
    def of(cls, folder: Path, *differs: Any) -> Parsed:
        """One for all that a parse depends on, apart from files: dbt compares these."""
        digest = hashlib.sha256(repr(differs).encode()).hexdigest()[:16]
        return cls(folder / f"{digest}.msgpack")

    @contextmanager
    def lent(self, target: Path, *, anew: bool) -> Iterator[None]:
        target.mkdir(parents=True, exist_ok=True)
        used = target / "partial_parse.msgpack"
        if anew:
            used.unlink(missing_ok=True)
        elif self.kept.exists():
            shutil.copy(self.kept, used)
        yield
        if used.exists():
            # Whole at once: another process of the tests may be reading.
            draft = self.kept.with_suffix(f".{os.getpid()}")
            shutil.copy(used, draft)
            draft.replace(self.kept)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run of the tests have in common."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def run_dbt(dbt_program: Path, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> RunDbt:
    """Runs the real dbt over a warehouse, in its own environment."""

    def run(
        *arguments: str,
        warehouse: Path,
        project: Path = PROJECT,
        dbt_target: str = "duckdb",
        target: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> Ended:
        written = target or tmp_path_factory.mktemp("dbt")
        home = tmp_path_factory.mktemp("home")
        (home / "warehouse.duckdb").symlink_to(warehouse)
        given = dict(pairwise(arguments)).get("--vars")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "DBT_TARGET": dbt_target,
            "DBT_DUCKDB_PATH": "~/warehouse.duckdb",
            "DBT_TARGET_PATH": str(written),
            "DBT_LOG_PATH": str(written / "logs"),
            # Every statement, in a file that few tests read: a sixth of a build.
            "DBT_LOG_LEVEL_FILE": "none",
            **(settings or {}),
        }
        command = [dbt_program, "--no-use-colors", *arguments]
        command += ["--project-dir", project, "--profiles-dir", project]
        parsed = Parsed.of(shared, project, dbt_target, settings, given)
        # Whoever asks for a parse wants to see one.
        with parsed.lent(written, anew="parse" in arguments):
            ended = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=300, check=False
            )
        return Ended(ended.returncode, ended.stdout + ended.stderr, warehouse, written)

    return run


@pytest.fixture(scope="session")
def built(run_dbt: RunDbt, shared: Path) -> Ended:
    """The whole project built once over the rows above; not to be written to.

    Without its unit tests, which an empty landing has to pass as well (test_other_warehouses.py).
    """
    folder = shared / "built"
    warehouse, target, told = (folder / name for name in ("warehouse.duckdb", "target", "ended"))
    with filelock.FileLock(shared / "built.lock", timeout=600):
        if not told.exists():
            folder.mkdir()
            write_warehouse(warehouse, landing_tables(), some_rows())
            ended = run_dbt(
                "--log-level-file", "debug", "build", "--exclude-resource-type", "unit_test",
                warehouse=warehouse, target=target,
            )  # fmt: skip
            told.write_text(json.dumps([ended.code, ended.output]))
        code, output = json.loads(told.read_text())
    return Ended(code, output, warehouse, target)


@pytest.fixture(scope="session")
def manifest(built: Ended) -> dict[str, Any]:
    return built.artifact("manifest.json")
