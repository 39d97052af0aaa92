"""A day full of faults, each of which says what must not be said; then every file is searched.

Secrets and words of conversations may stand in the warehouse (words) or sealed in the state
database (tokens), and nowhere else: no log, no exception, no table of Airflow's, no artifact.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import shutil
import socket
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bench import call

from semarize_pipeline.state import State
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
from semarize_sandbox.faults import Fault
from semarize_sandbox.model import Person, Turn
from semarize_sandbox.server import Sandbox, running
from semarize_sandbox.world import World

DBT = Path(__file__).parents[2] / "dbt"
FERNET = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
# Words that nothing else says, in a sentence with all that could end a quotation too early.
SAID = ("quokka", "marmalade", "seventeen lanterns", "wombat@example.org")
WORDS = "It's our \"quokka\" budget:\nmarmalade (for 'seventeen lanterns'), ask wombat@example.org."
USERINFO = "userinfo-canary-41"
PROXY = "proxy-canary-42"
REDIRECT = "redirect-canary-43"
HTML = {"Content-Type": "text/html"}
SETTINGS = """
[extract]
start = "3 days"
slice_hours = 240
[score]
patience_seconds = 20
requests_per_second = 500
attempts = 3
retry_failed_after_minutes = 0.0001
[kits.interaction_quality]
code = "C5A1E07B"
"""
CAST = "select cast(text as integer) as n from landing.gong__utterances where length(text) > 20"


@pytest.fixture
def sandbox(stores: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    now = datetime.now(UTC)
    told = {
        "title": f"About {WORDS}",
        "people": (
            Person(id="u-1", name="Dana Reyes", role="rep"),
            Person(id="c-1", name="Mr Quokka", email="wombat@example.org", role="customer"),
        ),
        "turns": (Turn("u-1", 0.0, 4.0, "Hello."), Turn("c-1", 4.5, 9.0, WORDS)),
    }
    given = [call(v, 1, now - timedelta(hours=6), **told) for v in ("gong", "salesloft", "chorus")]
    (tmp_path / "pipeline.toml").write_text(SETTINGS)
    monkeypatch.setenv("PIPELINE_SETTINGS", str(tmp_path / "pipeline.toml"))
    with running(World(given)) as made:
        for name, connection in made.connections().items():
            monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", connection)
        yield made


def project_that_fails(folder: Path) -> Path:
    """A dbt project whose only model stumbles over what a customer said."""
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(
        'name: canary\nversion: "1.0"\nprofile: semarize_conversations\n'
        "models: {+materialized: table}\n"
    )
    shutil.copy(DBT / "profiles.yml", folder)
    (folder / "models" / "words_as_number.sql").write_text(CAST)
    return folder


def secrets_of(sandbox: Sandbox, state: State) -> set[str]:
    """All that opens a door: from the connections, as headers, and as tokens."""
    found = {USERINFO, PROXY, REDIRECT, FERNET}
    for name in ("gong", "salesloft", "clari_copilot", "callminer", "chorus", "semarize"):
        held = sandbox.credentials(name)
        found |= {held["password"], *(v for k, v in held["extra"].items() if "ur" not in k)}
        found.add(base64.b64encode(f"{held['login']}:{held['password']}".encode()).decode())
    for name in ("salesloft", "callminer"):
        pair = state.tokens.load(f"{name}_default")
        assert pair is not None, "the guard: there were tokens"
        found |= {pair.access, pair.refresh or pair.access}
    return found


def leaks(places: dict[str, bytes], canaries: set[str]) -> list[tuple[str, str]]:
    """Where something stands, in any of the ways in which a text is written down."""
    return [
        (place, canary)
        for place, content in places.items()
        for canary in canaries
        if any(
            written.encode() in content
            for written in {canary, canary.upper(), json.dumps(canary)[1:-1]}
        )
    ]


def test_what_nobody_foresaw_is_told_without_its_text(
    airflow_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A library that cannot take a value says which one it was."""
    from airflow.sdk.exceptions import AirflowException, AirflowFailException

    from semarize_airflow.failures import handled
    from semarize_airflow.operators.extract_operator import ExtractConversationsOperator

    operator = ExtractConversationsOperator(task_id="t", vendor="gong")
    with pytest.raises(AirflowException) as caught, handled(operator):
        float(WORDS)
    told = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert not isinstance(caught.value, AirflowFailException), "it is tried again"
    assert "builtins.ValueError" in told
    assert re.search(r"test_nothing_leaks\.py:\d+\)", told), "and where"
    assert leaks({"told": told.encode()}, set(SAID)) == []
    assert caught.value.__suppress_context__, "nor is it shown as this one's context"


@pytest.mark.slow
@pytest.mark.long
def test_no_secret_and_no_word_of_a_conversation_leaves_its_place(
    sandbox: Sandbox,
    run_dag: Any,
    airflow_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    world = sandbox.world
    # Warm, so that tokens exist that can be echoed.
    states = {"warm": run_dag("conversations__salesloft").state}

    def fault(vendor: str, **how: Any) -> None:
        world.fault(vendor, Fault(**{"kind": "status", "count": None, **how}))

    # A refusal that repeats the credential, and words.
    secret = sandbox.credentials("gong")
    basic = base64.b64encode(f"{secret['login']}:{secret['password']}".encode()).decode()
    echo = {"errors": [f"Basic {basic} of {secret['password']} is not good"], "body": WORDS}
    fault("gong", status=401, body=echo)
    states["401"] = run_dag("conversations__gong").state
    # A record that is not what was agreed.
    world.faults.clear("gong")
    odd = {"records": {}, "calls": [{"metaData": {"id": "777", "started": WORDS}, "title": WORDS}]}
    fault("gong", match="/v2/calls/extensive", count=1, status=200, body=odd)
    states["unreadable"] = run_dag("conversations__gong").state
    # Sent on elsewhere, with a token in the address.
    where = f"https://u:{REDIRECT}@elsewhere.example/cb?access_token={REDIRECT}"
    fault("salesloft", match="/v2/", status=302, headers={"Location": where}, body=WORDS)
    states["redirect"] = run_dag("conversations__salesloft").state
    # A page of the vendor's own trouble.
    token = sandbox.credentials("chorus")["password"]
    page = f"<html>Bearer {token} said {WORDS}</html>"
    fault("chorus", status=500, count=2, headers=HTML, body=page)
    states["500"] = run_dag("conversations__chorus").state
    # Nobody there, with credentials in both addresses.
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    clari = json.loads(sandbox.connections()["clari_copilot_default"])
    clari["host"] = f"http://user:{USERINFO}@127.0.0.1:{port}/api"
    clari["extra"] = {**clari["extra"], "proxies": {"http": f"http://u:{PROXY}@127.0.0.1:{port}"}}
    monkeypatch.setenv("AIRFLOW_CONN_CLARI_COPILOT_DEFAULT", json.dumps(clari))
    states["connection"] = run_dag("conversations__clari_copilot").state
    # A token endpoint that repeats what it was sent, once it had given one.
    states["callminer"] = run_dag("conversations__callminer").state
    world.standins["callminer"].expire_tokens()  # type: ignore[attr-defined]
    client = sandbox.credentials("callminer")["password"]
    told = {"error": f"invalid_client {client}", "error_description": client}
    fault("callminer", match="/oauth/token", status=401, body=told)
    states["token"] = run_dag("conversations__callminer").state
    # Semarize repeats the transcript: as a refusal, as an unknown answer, as a failed run.
    again = {"error": f"cannot read: {WORDS}", "message": WORDS, "input": WORDS}
    fault("semarize", match="/v1/runs", status=418, body=again)
    states["418"] = run_dag("conversations__gong").state
    world.faults.clear("semarize")
    failed = {"run_id": "run_1", "status": "failed", "error_code": WORDS, "error_message": WORDS}
    fault("semarize", match="/v1/runs", count=1, status=202, body=failed)
    states["failed run"] = run_dag("conversations__gong").state
    fault("semarize", match="/v1/runs", count=1, status=422, body=again)
    states["422"] = run_dag("conversations__gong").state
    # A model that cannot take a value.
    monkeypatch.setenv("DBT_PROJECT_DIR", str(project_that_fails(tmp_path / "project")))
    states["dbt"] = run_dag("scorecards").state

    red = {name for name, state in states.items() if state == "failed"}
    assert red == {"401", "redirect", "connection", "token", "418", "dbt"}, states
    state = State(f"sqlite:///{tmp_path}/state.db", fernet_key=FERNET)
    secrets = secrets_of(sandbox, state)
    assert len(secrets) >= 15
    state.close()

    shown = capfd.readouterr()
    places = {
        "log": caplog.text.encode(),
        "output": (shown.out + shown.err).encode(),
        **{str(f): f.read_bytes() for f in airflow_home.rglob("*") if f.is_file()},
        **{str(f): f.read_bytes() for f in tmp_path.glob("state.db*")},
    }
    home = {Path(place).name for place in places}
    assert {"airflow.db", "state.db", "run_results.json", "manifest.json"} <= home
    heard = places["log"] + places["output"]
    for step in (
        b"refused the credential (401)",
        b"was sent on to elsewhere.example",
        b"ProxyError",
    ):
        assert step in heard, "the guard: each fault was met, and told"
    for step in (b"the token endpoint refused", b"418", b"words_as_number", b"http_422"):
        assert step in heard
    assert leaks(places, secrets) == []
    assert leaks(places, set(SAID)) == []

    # Words are in the warehouse, and there in the columns that are made for them.
    with DuckDBWarehouse(tmp_path / "warehouse.duckdb").open("test") as session:
        (spoken,) = session.query(
            "select count(*) as n from landing.gong__utterances where text like '%quokka%'"
        )
        assert spoken["n"] == 1, "the guard: there were words to leak"
        told_of = {
            name: json.dumps(session.query(f"select * {but} from landing.{name}"), default=str)
            for name, but in {
                "dbt_results": "",
                "ledger": "",
                "loads": "",
                "quarantine": "exclude (raw)",
                "semarize__runs": "exclude (response, error_message)",
            }.items()
        }
    assert "words_as_number" in told_of["dbt_results"]
    assert "Conversion Error" in told_of["dbt_results"]
    assert "http_422" in told_of["semarize__runs"]
    assert "unreadable_code" in told_of["semarize__runs"]
    assert "conversations__gong" in told_of["quarantine"]
    assert leaks({k: v.encode() for k, v in told_of.items()}, {*secrets, *SAID}) == []
