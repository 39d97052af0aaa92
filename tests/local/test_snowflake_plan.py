"""``make snowflake-plan``: its text can be run, says whom it asked, and changes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from unit.warehouse.emulator import PASSWORD, emulator_running

from semarize_airflow.local.__main__ import main
from semarize_airflow.local.environment import ROOT, Runtime
from semarize_airflow.local.snowflake_plan import CONNECTIONS
from semarize_pipeline.warehouse.snowflake_setup import parameters, statements


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with emulator_running() as port:
        yield port


# Airflow takes seconds to start: once, for a first command that nobody looks at; each of the others
# is a fork of that process, with nothing that the first has set in its environment.
FORKING = """
import json, os, sys
import snowflake.connector
from semarize_airflow.local.__main__ import main
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
plain = dict(os.environ)
os.environ["AIRFLOW_CONN_WAREHOUSE_DEFAULT"] = '{"conn_type": "duckdb", "host": "/nowhere"}'
main(["snowflake-plan"])
os.environ.clear()
os.environ.update(plain)
for line in sys.stdin:
    told = json.loads(line)
    child = os.fork()
    if child == 0:
        for number, name in ((1, "out"), (2, "errors")):
            os.dup2(os.open(told[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.environ.update(told["variables"])
        sys.exit(main(["snowflake-plan", *told["arguments"]]))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=answers, flush=True)
"""
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The command in a process of its own, without any connection of whoever runs the tests."""
    folder = tmp_path_factory.mktemp("plan")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "PIPELINE"))}
    with subprocess.Popen(
        [sys.executable, "-c", FORKING],
        env={
            **clean,
            "PYTHONPATH": f"{ROOT / 'include'}:{ROOT / 'plugins'}",
            "LOCAL_RUNTIME": str(folder / "runtime"),
            "HOME": str(folder),
        },
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        requests, answers = process.stdin, process.stdout
        assert requests is not None
        assert answers is not None

        def ask(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
            out, errors = folder / "out", folder / "errors"
            files = {"out": str(out), "errors": str(errors)}
            told = {**files, "arguments": arguments, "variables": variables}
            print(json.dumps(told), file=requests, flush=True)
            code = int(answers.readline())
            return subprocess.CompletedProcess(arguments, code, out.read_text(), errors.read_text())

        yield ask
        requests.close()


def connection(port: int, database: str = "PLANNED", **extra: Any) -> str:
    told = {"account": "emulated", "database": database, "protocol": "http", **extra}
    fields = {"login": "tester", "password": PASSWORD, "host": "127.0.0.1", "port": port}
    return json.dumps({"conn_type": "snowflake", **fields, "extra": told})


def to_run(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("--")]


@pytest.fixture
def here(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """The command in this process, with no connection: exit code, output, errors."""
    for name in CONNECTIONS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LOCAL_RUNTIME", str(runtime.folder))

    def main_with(*arguments: str) -> tuple[int, str, str]:
        code = main(["snowflake-plan", *arguments])
        return (code, *capfd.readouterr())

    return main_with


def test_without_a_connection_it_is_the_whole_set_up_and_says_so(here: Any) -> None:
    code, told, errors = here()
    assert (code, errors) == (0, "")
    assert "No account was asked: neither AIRFLOW_CONN_SNOWFLAKE_ADMIN" in told
    expected = [f"{each.sql};" for each in statements(parameters({})) if not each.missing]
    assert to_run(told) == expected
    assert "is there already" not in told
    assert "-- alter user SEMARIZE_SERVICE set rsa_public_key" in told, "as a comment"
    sections = [line for line in told.splitlines() if line.startswith("-- == ")]
    assert len(sections) == len(set(sections)) == 8
    purposes = {each.purpose for each in statements(parameters({}))}
    assert len(purposes) > 15
    for purpose in purposes:
        assert told.count(f"-- {purpose}\n") == 1, "each group says once what it is for"


def test_names_can_be_given_and_masking_left_out(here: Any) -> None:
    code, told, _ = here("--standard-edition", "--set", "prefix=calls", "--set", "public_key=QUJD")
    assert code == 0
    wanted = statements(parameters({"prefix": "calls", "public_key": "QUJD"}), masking=False)
    assert to_run(told) == [f"{each.sql};" for each in wanted]
    assert "Masking is left out" in told


@pytest.mark.parametrize(
    ("given", "remedy"),
    [("database", "NAME=VALUE"), ("database=a;b", "letters, digits"), ("x=y", "no parameter x")],
)
def test_a_wrong_name_ends_it_before_any_sql(here: Any, given: str, remedy: str) -> None:
    code, told, errors = here("--set", given)
    assert (code, told) == (1, "")
    assert remedy in errors


@pytest.mark.slow
def test_what_is_there_is_marked_and_nothing_is_made(run: Run, port: int) -> None:
    admin, name = CONNECTIONS
    # The emulator makes the database that a login names: all else has to stay missing.
    for _ in range(2):
        done = run("--set", "database=planned", **{name: connection(port)})
        assert done.returncode == 0, done.stderr
        assert "Asked with SHOW alone: account emulated, as tester" in done.stdout
        lines = done.stdout.splitlines()
        made = lines.index("-- database PLANNED is there already")
        assert lines[made + 1].startswith("create database if not exists PLANNED ")
        assert "-- schema PLANNED.LANDING is not there yet" in lines
        assert "-- table PLANNED.LANDING.LEDGER is not there yet" in lines
        assert "-- role SEMARIZE_LOADER may be there: not visible" in lines
        assert "-- 1 of the " in done.stdout
        assert PASSWORD not in done.stdout + done.stderr
    # An administrator's connection is asked first, and then the other one says nothing.
    done = run(**{admin: connection(port, role="ACCOUNTADMIN"), name: "duckdb:///x"})
    assert "with the role ACCOUNTADMIN" in done.stdout
    whole = [f"{each.sql};" for each in statements(parameters({})) if not each.missing]
    assert to_run(done.stdout) == whole, "nothing but SQL, whatever Airflow logs"


@pytest.mark.slow
def test_the_plan_and_the_connection_must_mean_one_database(run: Run, port: int) -> None:
    done = run(AIRFLOW_CONN_WAREHOUSE_DEFAULT=connection(port))
    assert "lands in the database PLANNED, and this plan makes SEMARIZE" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("told", "why"),
    [
        ('{"conn_type": "duckdb", "host": "/nowhere"}', "is not a Snowflake connection"),
        ('{"conn_type": "snowflake", "login": "x"}', "give login, and account and database"),
        ('{"conn_type": "postgres", "login": "x"}', "has the type postgres, use duckdb"),
    ],
)
def test_what_cannot_be_asked_is_told_and_the_plan_is_whole(run: Run, told: str, why: str) -> None:
    done = run(AIRFLOW_CONN_WAREHOUSE_DEFAULT=told)
    assert done.returncode == 0, done.stderr
    assert "No account was asked" in done.stdout
    assert why in done.stdout
    assert len(to_run(done.stdout)) > 60
    for line in done.stdout.splitlines():
        assert ";" not in line or not line.startswith("--"), "some tools end a statement there"
