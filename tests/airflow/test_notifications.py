"""Who is told of a failure, by whole DAGs: Slack's side and the mail server are stand-ins."""

from __future__ import annotations

import email
import email.policy
import json
import logging
import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bench import call
from unit.support import Say, Server, serving

from semarize_pipeline.state import State
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
from semarize_pipeline.warehouse.port import Load
from semarize_sandbox.faults import Fault
from semarize_sandbox.server import Sandbox, running
from semarize_sandbox.world import World

# Beside a channel's mention and a template, which nobody may take for ours.
MARKUP = "<!channel> <b>{{ 7 * 7 }}</b> & co"
WEBHOOK = "T000/B000/webhook-canary-44"
SETTINGS = """
notify = {email_to = ["ops@example.com", "oncall@example.com"], stale_after_hours = 26}
[kits.interaction_quality]
code = "C5A1E07B"
"""


class MailServer:
    """A mail server that takes everything and delivers nothing."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], str]] = []
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                to: list[str] = []
                self.wfile.write(b"220 stand-in\r\n")
                while line := self.rfile.readline():
                    said = line.decode().strip()
                    verb = said.upper()
                    if verb.startswith("RCPT"):
                        to.append(said.partition("<")[2].partition(">")[0])
                    if verb == "DATA":
                        self.wfile.write(b"354 go on\r\n")
                        lines = iter(self.rfile.readline, b".\r\n")
                        outer.mails.append((to, b"".join(lines).decode()))
                    self.wfile.write(b"221 bye\r\n" if verb == "QUIT" else b"250 fine\r\n")
                    if verb == "QUIT":
                        return

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def mail() -> Iterator[MailServer]:
    server = MailServer()
    yield server
    server.stop()


@pytest.fixture
def slack() -> Iterator[Server]:
    with serving() as server:
        server.says(Say(200, b"ok", {"Content-Type": "text/plain"}))
        yield server


@pytest.fixture
def sandbox(stores: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Gong refuses the credential, and says so with markup."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    with running(World([call("gong", 1, datetime.now(UTC) - timedelta(hours=5))])) as made:
        echo = {"errors": [f"{MARKUP} {made.credentials('gong')['password']}"]}
        made.world.fault("gong", Fault(kind="status", status=401, body=echo, count=None))
        (tmp_path / "pipeline.toml").write_text(SETTINGS)
        monkeypatch.setenv("PIPELINE_SETTINGS", str(tmp_path / "pipeline.toml"))
        for name, connection in made.connections().items():
            monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", connection)
        yield made


def connect_slack(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    held = {"conn_type": "slackwebhook", "host": f"{url}/services", "password": WEBHOOK}
    monkeypatch.setenv("AIRFLOW_CONN_SLACK_NOTIFICATIONS", json.dumps(held))


def connect_mail(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    extra = {"from_email": "airflow@example.com", "disable_ssl": True, "disable_tls": True}
    held = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(held))


def body_of(mail: str) -> str:
    told = email.message_from_string(mail, policy=email.policy.default)
    return "".join(
        part.get_content() for part in told.walk() if part.get_content_maintype() == "text"
    )


@pytest.mark.slow
def test_a_failure_is_told_in_slack_and_by_mail(
    sandbox: Sandbox,
    run_dag: Any,
    slack: Server,
    mail: MailServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    connect_slack(monkeypatch, slack.url)
    connect_mail(monkeypatch, mail.port)
    dag_run = run_dag("conversations__gong")
    assert dag_run.state == "failed"
    (posted,) = slack.seen
    assert posted.path == f"/services/{WEBHOOK}"
    text = posted.json["text"]
    ((to, sent),) = mail.mails
    assert to == ["ops@example.com", "oncall@example.com"]
    subject = email.message_from_string(sent, policy=email.policy.default)["Subject"]
    assert subject == "conversations__gong: extract failed"
    for told in (text, body_of(sent)):
        assert "conversations__gong: extract failed" in told
        assert dag_run.run_id in told
        assert "gong_default" in told, "what is wrong"
        assert "renew it in the connection" in told, "and the remedy"
        assert "Log: http" in told
        assert "&lt;!channel&gt; &lt;b&gt;{{ 7 * 7 }}&lt;/b&gt; &amp; co" in told
        assert sandbox.credentials("gong")["password"] not in told
    assert "webhook-canary-44" not in caplog.text


@pytest.mark.slow
def test_nobody_is_told_where_nobody_asked(
    sandbox: Sandbox,
    run_dag: Any,
    slack: Server,
    mail: MailServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No connection: no message, and no noise."""
    monkeypatch.setenv("PIPELINE_SETTINGS", "")
    assert run_dag("conversations__gong").state == "failed"
    assert "nobody was told" not in caplog.text
    # A mail server that others use, and nobody named here.
    connect_mail(monkeypatch, mail.port)
    assert run_dag("conversations__gong").state == "failed"
    assert (slack.seen, mail.mails) == ([], [])


@pytest.mark.slow
def test_a_way_that_is_broken_hides_nothing_and_tells_no_secret(
    sandbox: Sandbox,
    run_dag: Any,
    slack: Server,
    mail: MailServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    connect_slack(monkeypatch, slack.url)
    connect_mail(monkeypatch, mail.port)
    slack.says(Say(404, f"no_service {WEBHOOK}".encode()))
    dag_run = run_dag("conversations__gong")
    assert dag_run.state == "failed"
    assert len(mail.mails) == 1, "the other way is still gone"
    assert "nobody was told by slack_notifications" in caplog.text
    assert "webhook-canary-44" not in caplog.text


# ---------------------------------------------------------------------- freshness


def built(folder: Path, age: timedelta, status: str = "success") -> None:
    now = datetime.now(UTC)
    row = {
        "invocation_id": f"{age} {status}",
        "node_id": "model.semarize_conversations.pipeline_health",
        "resource_type": "model",
        "status": status,
        "finished_at": now - age,
        "_loaded_at": now,
    }
    with DuckDBWarehouse(folder / "warehouse.duckdb").open("test") as session:
        session.ensure([tables.DBT_RESULTS])
        session.land([Load(tables.DBT_RESULTS, [row])])


def read(folder: Path, vendor: str, age: timedelta) -> None:
    state = State(f"sqlite:///{folder}/state.db")
    state.watermarks.begin(vendor, datetime.now(UTC) - age)
    state.close()


@pytest.mark.slow
def test_old_marts_and_conversations_are_told_of(
    sandbox: Sandbox,
    run_dag: Any,
    slack: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect_slack(monkeypatch, slack.url)
    assert run_dag("freshness").state == "success", "nothing was ever read: nothing is old"
    assert not (tmp_path / "warehouse.duckdb").exists(), "and no warehouse is opened"
    read(tmp_path, "gong", timedelta(hours=2))
    assert run_dag("freshness").state == "failed"
    assert "marts: never built" in slack.seen[-1].json["text"]
    built(tmp_path, timedelta(hours=3))
    built(tmp_path, timedelta(hours=1), status="error")
    told = run_dag("freshness")
    assert told.state == "success"
    read(tmp_path, "chorus", timedelta(hours=50))
    read(tmp_path, "salesloft", timedelta(days=90))
    assert run_dag("freshness").state == "failed"
    text = slack.seen[-1].json["text"]
    assert "conversations of chorus: 50 hours old. Allowed are 26" in text
    assert "notify.stale_after_hours" in text
    assert "salesloft" not in text, "one that nobody reads any more"
    assert len(slack.seen) == 2


@pytest.mark.parametrize(("age", "old"), [(25, False), (27, True), (2000, True)])
def test_marts_grow_old_when_no_build_succeeds(age: int, old: bool, tmp_path: Path) -> None:
    from semarize_pipeline import freshness

    read(tmp_path, "gong", timedelta(hours=1))
    built(tmp_path, timedelta(hours=age))
    built(tmp_path, timedelta(hours=1), status="skipped")
    state = State(f"sqlite:///{tmp_path}/state.db")
    ask = {"now": datetime.now(UTC), "stale_after": timedelta(hours=26), "run": "test"}
    warehouse = DuckDBWarehouse(tmp_path / "warehouse.duckdb")
    if old:
        with pytest.raises(freshness.Stale, match=rf"marts: {age} hours old.*scorecards"):
            freshness.check(warehouse, state, ["gong"], **ask)
    else:
        ages = freshness.check(warehouse, state, ["gong"], **ask)
        assert ages == {"conversations of gong": 1.0, "marts": float(age)}
    state.close()
