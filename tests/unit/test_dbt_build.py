"""One dbt build as a program: a stand-in for dbt writes what dbt would write."""

from __future__ import annotations

import json
import logging
import os
import stat
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from semarize_pipeline.dbt_build import Build, BuildFailed, DbtBuild, left_by, without_values
from semarize_pipeline.errors import Misconfigured
from semarize_pipeline.warehouse import tables

FAKE = """\
#!{python}
import json, os, pathlib, subprocess, sys, time

told = json.loads(pathlib.Path(__file__).with_suffix(".json").read_text())
pathlib.Path(__file__).with_suffix(".called").write_text(
    json.dumps({{"arguments": sys.argv[1:], "environment": dict(os.environ)}})
)
for line in told["lines"]:
    sys.stdout.buffer.write(line.encode("latin-1") + b"\\n")
sys.stdout.flush()
if told["hangs"]:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print(f"child_{{child.pid}}", flush=True)
    time.sleep(60)
if told["artifact"] is not None:
    target = pathlib.Path(sys.argv[sys.argv.index("--target-path") + 1])
    target.mkdir(parents=True, exist_ok=True)
    (target / "run_results.json").write_text(told["artifact"])
sys.exit(told["exit"])
"""


def node(id_: str, status: str = "success", **more: Any) -> dict[str, Any]:
    return {"unique_id": id_, "status": status, "execution_time": 0.25, **more}


def results(*nodes: dict[str, Any]) -> str:
    return json.dumps({"metadata": {"invocation_id": "inv-1"}, "results": list(nodes)})


def event(msg: str, name: str, level: str = "error") -> str:
    return json.dumps({"info": {"msg": msg, "name": name, "level": level}, "data": {}})


class FakeDbt:
    """The program, its project and its folder."""

    def __init__(self, folder: Path) -> None:
        self.program = folder / "bin" / "dbt"
        self.program.parent.mkdir()
        self.program.write_text(FAKE.format(python=sys.executable))
        self.program.chmod(self.program.stat().st_mode | stat.S_IXUSR)
        self.project, self.work = folder / "project", folder / "work"
        self.build = DbtBuild(self.program, self.project, self.work)

    def does(
        self, artifact: str | None, code: int = 0, lines: tuple[str, ...] = (), hangs: bool = False
    ) -> None:
        told = {"artifact": artifact, "exit": code, "lines": lines, "hangs": hangs}
        self.program.with_suffix(".json").write_text(json.dumps(told))

    @property
    def called(self) -> dict[str, Any]:
        return dict(json.loads(self.program.with_suffix(".called").read_text()))


@pytest.fixture
def dbt(tmp_path: Path) -> FakeDbt:
    return FakeDbt(tmp_path)


def test_a_build_that_succeeds(dbt: FakeDbt, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    timing = [
        {"name": "compile", "started_at": "2026-01-01T00:00:00Z", "completed_at": None},
        {
            "name": "execute",
            "started_at": "2026-01-01T00:00:01.5Z",
            "completed_at": "2026-01-01T00:00:02Z",
        },
    ]
    dbt.does(
        results(
            node("model.marts.fct", timing=timing, message="OK", failures=None),
            node("test.marts.unique", "pass", failures=0),
            node("test.marts.warned", "warn", failures=3, message="m" * 900),
            node("model.marts.skipped", "skipped", message=None),
        ),
        lines=("first line", "caf\xe9", event("2 of 3 OK [PASS]", "LogTestResult", "info")),
    )
    build = dbt.build.run("duckdb", {"WAREHOUSE_PATH": "/x/w.duckdb"}, "--select", "marts")
    build.check()
    assert build.exit_code == 0
    assert build.failed == []
    assert build.counts() == {"success": 1, "pass": 1, "warn": 1, "skipped": 1}
    names = {*tables.DBT_RESULTS.column_names} - {"_loaded_at", "_loaded_by"}
    assert all(set(row) == names for row in build.results)
    first = build.results[0]
    assert first["invocation_id"] == "inv-1"
    assert first["resource_type"] == "model"
    assert first["started_at"].isoformat() == "2026-01-01T00:00:01.500000+00:00"
    assert first["execution_seconds"] == 0.25
    assert build.results[2]["message"] == "m" * 500
    assert "dbt: first line" in caplog.text
    assert "dbt: caf\ufffd" in caplog.text, "a line that is no UTF-8 does not end the build"
    assert "dbt: 2 of 3 OK [PASS]" in caplog.text


def test_how_dbt_is_called(dbt: FakeDbt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/airflow/only")
    monkeypatch.setenv("VIRTUAL_ENV", "/airflow/only")
    monkeypatch.setenv("INHERITED", "yes")
    dbt.does(results(node("model.a.b")))
    dbt.build.run("snowflake", {"WAREHOUSE_PATH": "/x/w.duckdb"}, "--full-refresh")
    arguments, environment = dbt.called["arguments"], dbt.called["environment"]
    assert "build" in arguments
    assert arguments[-1] == "--full-refresh"
    for name, value in {
        "--target": "snowflake",
        "--project-dir": str(dbt.project),
        "--profiles-dir": str(dbt.project),
        "--target-path": str(dbt.work / "target"),
        "--log-path": str(dbt.work / "logs"),
        "--log-level-file": "none",
    }.items():
        assert arguments[arguments.index(name) + 1] == value
    assert environment["WAREHOUSE_PATH"] == "/x/w.duckdb"
    assert environment["INHERITED"] == "yes"
    assert environment["DBT_SEND_ANONYMOUS_USAGE_STATS"] == "False"
    assert environment["DBT_EXCLUDE_RESOURCE_TYPES"] == "unit_test"
    assert not {"PYTHONPATH", "VIRTUAL_ENV"} & set(environment)


def test_who_wants_unit_tests_in_a_build_says_so(
    dbt: FakeDbt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBT_EXCLUDE_RESOURCE_TYPES", "")
    dbt.does(results(node("model.p.a")))
    dbt.build.run("duckdb", {})
    assert dbt.called["environment"]["DBT_EXCLUDE_RESOURCE_TYPES"] == ""


def test_a_secret_goes_by_the_environment_alone(
    dbt: FakeDbt, caplog: pytest.LogCaptureFixture
) -> None:
    """A command line can be read by everybody on the machine, and a log by more."""
    caplog.set_level(logging.DEBUG)
    dbt.does(results(node("model.a.b")))
    dbt.build.run("snowflake", {"DBT_ENV_SECRET_SNOWFLAKE_PASSWORD": "hunter2"})
    called = dbt.called
    assert called["environment"]["DBT_ENV_SECRET_SNOWFLAKE_PASSWORD"] == "hunter2"
    assert "hunter2" not in " ".join(called["arguments"])
    assert "hunter2" not in caplog.text
    assert not [f for f in dbt.work.rglob("*") if f.is_file() and "hunter2" in f.read_text()]


@pytest.mark.parametrize("status", ["error", "fail", "runtime error"])
def test_a_failing_node_is_named(status: str, dbt: FakeDbt) -> None:
    dbt.does(
        results(
            node("model.marts.fine"),
            node("model.marts.fct_scores", status, message="Binder Error: no such column"),
            node("model.marts.after", "skipped"),
        ),
        code=1,
    )
    build = dbt.build.run("duckdb", {})
    assert build.failed == ["model.marts.fct_scores"]
    assert len(build.results) == 3, "what the others did is known all the same"
    with pytest.raises(BuildFailed, match=r"1 of 3 nodes failed.*fct_scores: Binder Error"):
        build.check()


# What a customer said, with what would end a quotation, a line, or a list too early.
WORDS = 'it\'s "the quokka marmalade" plan\nLINE 9: of seventeen lanterns] at 4915112345678'
QUOTING = [
    f"Conversion Error: Could not convert string '{WORDS}' to INT32 when casting from source "
    "column spoken\n\nLINE 7: select cast('{WORDS}' as integer)",
    f"Conversion Error: Type VARCHAR with value {WORDS} can't be cast to the destination type",
    f'Constraint Error: Duplicate key "text: {WORDS}" violates primary key constraint.',
    f'Invalid Input Error: Malformed JSON at byte 0 of input: no.  Input: "{WORDS}"',
    f'Invalid Input Error: Could not parse string "x" according to "%Y"\n{WORDS}\n^\nError: y',
    f"Out of Range Error: {WORDS.partition(' at ')[2]} is out of range",
    f"100038 (22018): 01b2-3c: Numeric value '{WORDS}' is not recognized",
    f"100090 (42P18): Duplicate row detected during DML action\nRow Values: [1, {WORDS}]",
    f'100071 (22000): Failed to cast variant value "{WORDS}" to FIXED',
    f'100069 (22P02): Error parsing JSON: unknown keyword "{WORDS}", pos 3',
]
SAID = ("quokka", "marmalade", "seventeen", "lanterns", "plan", "4915112345678")


@pytest.mark.parametrize("told", QUOTING)
def test_no_value_of_a_row_is_in_what_dbt_said(
    told: str, dbt: FakeDbt, caplog: pytest.LogCaptureFixture
) -> None:
    """In nothing: the row that lands, the error, the log, the artifact."""
    caplog.set_level(logging.DEBUG)
    message = f"Runtime Error in model fct_x (models/marts/fct_x.sql)\n  {told}"
    dbt.does(
        results(node("model.p.fct_x", "error", message=message, compiled_code="select spoken")),
        code=1,
        lines=(
            event("Running with dbt", "MainReportVersion", "info"),
            event("1 of 1 ERROR creating sql table model x [ERROR in 0.07s]", "LogModelResult"),
            event(message, "RunResultError"),
            event(told, "CatchableExceptionOnRun", "warn"),
            *f'Traceback:\n  File "/x/y.py", line 3, in z\nConversionException: {WORDS}'.split(
                "\n"
            ),
        ),
    )
    build = dbt.build.run("duckdb", {})
    with pytest.raises(BuildFailed) as caught:
        build.check()
    (row,) = build.results
    artifact = (dbt.work / "target" / "run_results.json").read_text()
    for place in (str(row), str(caught.value), caplog.text, artifact):
        assert [word for word in SAID if word in place] == []
        assert "fct_x" in place
    kind = told.partition(":")[0]
    assert f"Runtime Error in model fct_x (models/marts/fct_x.sql)\n{kind}" in row["message"]
    assert "dbt: 1 of 1 ERROR creating sql table model x [ERROR in 0.07s]" in caplog.text
    assert 'dbt:   File "/x/y.py", line 3' in caplog.text
    assert "dbt: ConversionException" in caplog.text


def test_the_column_that_the_code_names_is_named() -> None:
    told = without_values(QUOTING[0], "select cast(spoken as integer) from words")
    assert told.splitlines() == [
        "Conversion Error: Could not convert string [...]",
        "(column spoken)",
        "(line 9 of the compiled code)",
    ]
    assert "spoken" not in without_values(QUOTING[0], "select 1"), "else it may be a word of theirs"


OF_CODE = [
    'Binder Error: Referenced column "nope" not found in FROM clause!\nCandidate bindings: "w"',
    "Catalog Error: Table with name landing.nope does not exist!",
    "Got 12345 results, configured to fail if != 0",
    'IO Error: Could not set lock on file "/x/w.duckdb": Conflicting lock is held',
    "000904 (42000): 01b2-3c: SQL compilation error: error line 3 at position 7\ninvalid id 'X'",
    "002003 (02000): SQL compilation error:\nObject 'MARTS.X' does not exist or not authorized.",
    "This model has an enforced contract that failed.\n| a | b |\n| 'x' | INTEGER |",
]


@pytest.mark.parametrize("told", OF_CODE)
def test_what_speaks_of_the_code_alone_is_kept(told: str) -> None:
    head = "Database Error in test t (models/x.yml)"
    kept = without_values(f"{head}\n  {told}\n  LINE 3: select 'quokka'")
    assert kept == f"{head}\n{told}"
    jinja = "Compilation Error in model x (models/x.sql)\n'nope' is undefined in macro y"
    assert without_values(jinja) == jinja


def test_many_failing_nodes_make_no_endless_message() -> None:
    rows = [{"node_id": f"test.t{n}", "status": "fail", "message": "m" * 500} for n in range(200)]
    with pytest.raises(BuildFailed, match="200 of 200") as caught:
        Build(1, rows).check()
    assert len(str(caught.value)) < 4000


def test_a_second_try_builds_what_the_first_left() -> None:
    rows = [
        {"node_id": "model.p.fine", "status": "success"},
        {"node_id": "test.p.unique_fine_id.0a1b2c", "status": "pass"},
        {"node_id": "test.p.odd_fine.0a1b2c", "status": "warn"},
        {"node_id": "model.p.broken", "status": "error"},
        {"node_id": "snapshot.p.halfway", "status": "partial success"},
        {"node_id": "unit_test.p.broken.it_adds_up", "status": "skipped"},
        {"node_id": "test.p.not_null_broken_id.3d4e5f", "status": "skipped"},
        {"node_id": "test.p.unique_other_id.3d4e5f", "status": "fail"},
        {"node_id": "seed.p.scales", "status": "runtime error"},
    ]
    assert left_by(rows) == [
        "+unique_other_id",
        "broken",
        "halfway",
        "it_adds_up",
        "not_null_broken_id",
        "scales",
    ]
    assert left_by(rows[:3]) == []


@pytest.mark.parametrize(
    ("statuses", "of_the_data"),
    [
        (["success", "fail", "skipped"], True),
        (["success", "fail", "error"], False),
        (["runtime error"], False),
        (["success", "skipped"], False),
        ([], False),
    ],
)
def test_only_failed_tests_are_of_the_data(statuses: list[str], of_the_data: bool) -> None:
    build = Build(1, [{"node_id": "n", "status": status} for status in statuses])
    assert build.is_of_the_data is of_the_data


def test_a_selection_that_is_not_in_the_project_any_more(dbt: FakeDbt) -> None:
    dbt.does(results())
    assert dbt.build.run("duckdb", {}, "--select", "renamed").found_nothing
    dbt.does(None, code=2)
    assert not dbt.build.run("duckdb", {}, "--select", "renamed").found_nothing, "dbt broke down"


@pytest.mark.parametrize("artifact", [None, "", '{"metadata": {"invoc'])
def test_dbt_ended_before_it_wrote_anything(artifact: str | None, dbt: FakeDbt) -> None:
    dbt.does(artifact, code=2)
    build = dbt.build.run("duckdb", {})
    assert build.results == []
    with pytest.raises(BuildFailed, match="ended with 2 before any node ran"):
        build.check()


def test_dbt_ended_badly_without_a_failing_node(dbt: FakeDbt) -> None:
    dbt.does(results(node("model.a.b"), node("model.a.c", "partial success")), code=1)
    with pytest.raises(BuildFailed, match="ended with 1 after 2 nodes"):
        dbt.build.run("duckdb", {}).check()


def test_the_last_build_s_results_are_not_this_one_s(dbt: FakeDbt) -> None:
    dbt.does(results(node("model.a.b")))
    assert len(dbt.build.run("duckdb", {}).results) == 1
    dbt.does(None, code=2)
    assert dbt.build.run("duckdb", {}).results == []


def test_no_dbt_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"make setup.*DBT_BIN") as caught:
        DbtBuild(tmp_path / "nowhere" / "dbt", tmp_path, tmp_path).run("duckdb", {})
    assert str(tmp_path / "nowhere" / "dbt") in str(caught.value)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_a_kill_ends_dbt_and_what_it_started(
    dbt: FakeDbt, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    dbt.does(None, hangs=True)
    ended: list[Build] = []
    thread = threading.Thread(target=lambda: ended.append(dbt.build.run("duckdb", {})))
    thread.start()
    give_up = time.monotonic() + 20
    while "child" not in caplog.text and time.monotonic() < give_up:
        time.sleep(0.02)
    child = int(caplog.text.split("child_")[1].split()[0])
    assert alive(child)
    dbt.build.kill()
    thread.join(10)
    assert not thread.is_alive()
    while alive(child) and time.monotonic() < give_up:
        time.sleep(0.02)
    assert not alive(child)
    assert ended[0].exit_code != 0
    with pytest.raises(BuildFailed):
        ended[0].check()
    assert alive(os.getpid())


def test_killing_what_does_not_run(dbt: FakeDbt) -> None:
    dbt.build.kill()
    dbt.does(results(node("model.a.b")))
    dbt.build.run("duckdb", {}).check()
    dbt.build.kill()
