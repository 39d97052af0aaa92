"""The operator's page in a real Airflow: who may see it, what it says, what its button does.

An API server of this test's own, over a small world with one of each (``operator_world``).
"""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import playwright.sync_api as playwright
import pytest
import requests
from dag_runs import ROOT, airflow_environment
from operator_world import MARKUP, UNREADABLE, id_of, operated

from semarize_airflow.local.ports import free_port
from semarize_pipeline.state import State
from semarize_pipeline.state.ledger import Entry
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse

pytestmark = pytest.mark.long

PASSWORDS = {"admin": "the-admins-own", "viewer": "the-viewers-own"}
SETTINGS = """
[score]
price_per_run = 0.5
currency = "EUR"
max_runs_per_day = 100
[kits.interaction_quality]
code = "C5A1E07B"
"""
READY_SECONDS = 180.0
# Where the pictures of a run are left: those of the documentation with docs/images.
PICTURES = os.environ.get("OPERATOR_PICTURES")


@dataclass(frozen=True)
class Served:
    """An API server over the world."""

    url: str
    folder: Path
    now: datetime

    def token(self, user: str) -> str:
        told = requests.post(
            f"{self.url}/auth/token",
            json={"username": user, "password": PASSWORDS[user]},
            timeout=30,
        )
        return str(told.json()["access_token"])

    def logged_in(self, user: str) -> requests.Session:
        """A session with the cookie that the login leaves."""
        made = requests.Session()
        made.trust_env = False
        made.cookies.set("_token", self.token(user))
        return made

    def page(self, who: requests.Session, path: str, **more: Any) -> requests.Response:
        return who.get(f"{self.url}/semarize/{path}", timeout=30, **more)

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        told = requests.get(
            f"{self.url}/api/v2/dags/{dag_id}/dagRuns",
            headers={"Authorization": f"Bearer {self.token('admin')}"},
            timeout=30,
        )
        return list(told.json()["dag_runs"])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("operator")
    now = datetime.now(UTC).replace(microsecond=0)
    if now.hour < 13:
        now = now.replace(hour=0, minute=0) - timedelta(hours=1)  # all of it on one day
    (home / "pipeline.toml").write_text(SETTINGS)
    (home / "passwords.json").write_text(json.dumps(PASSWORDS))
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if "AIRFLOW" not in name},
        **airflow_environment(home),
        "PYTHONPATH": os.pathsep.join([str(ROOT / "include"), str(ROOT / "plugins")]),
        "PYTHONSAFEPATH": "1",
        "PIPELINE_SETTINGS": str(home / "pipeline.toml"),
        "SEMARIZE_DASHBOARDS_URL": "http://127.0.0.1:9",
        "DASHBOARD_SANDBOX_DATA": "true",
        "AIRFLOW_CONN_GONG_DEFAULT": json.dumps({"conn_type": "http", "password": "x"}),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,viewer:viewer",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__SECRET_KEY": "a secret of this test",
        "AIRFLOW__API_AUTH__JWT_SECRET": "another secret of this test, and a long one",
    }
    airflow = [sys.executable, "-m", "airflow"]
    prepare = "from semarize_airflow.local.metadata import prepare; prepare()"
    preparing = subprocess.Popen(
        [sys.executable, "-c", prepare],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    with operated(home, now) as made:  # beside it
        made.state.ledger.record(
            "chorus",
            [Entry(conversation_id="x1", status="quarantined", reason=MARKUP, listed_at=now)],
        )
        with made.warehouse.open("dbt") as session:
            session.query("create schema marts")
            session.query(
                "create table marts.fct_conversations as select "
                f"'gong:{id_of('scored')}' as conversation_key"
            )
    _, error = preparing.communicate(timeout=120)
    assert preparing.returncode == 0, error.decode()[-2000:]
    log = home / "api-server.log"
    with log.open("wb") as output:
        program = subprocess.Popen(
            [*airflow, "api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    there = Served(f"http://127.0.0.1:{port}", home, now)
    try:
        _await(f"{there.url}/api/v2/version", program, log)
        _fail("conversations__gong", there)
        yield there
    finally:
        # Asked politely it would wait for browsers that keep their connections.
        program.kill()
        program.wait()


def _fail(dag_id: str, there: Served) -> None:
    """A run of a DAG that failed, as somebody marks it."""
    runs = f"{there.url}/api/v2/dags/{dag_id}/dagRuns"
    told = {"Authorization": f"Bearer {there.token('admin')}"}
    made = requests.post(
        runs, json={"dag_run_id": "by_hand", "logical_date": None}, headers=told, timeout=30
    )
    assert made.status_code == 200, made.text
    marked = requests.patch(f"{runs}/by_hand", json={"state": "failed"}, headers=told, timeout=30)
    assert marked.status_code == 200, marked.text


def _await(url: str, program: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + READY_SECONDS
    while time.monotonic() < give_up and program.poll() is None:
        try:
            if requests.get(url, timeout=2).ok:
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise RuntimeError(f"Airflow did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="module")
def admin(served: Served) -> requests.Session:
    return served.logged_in("admin")


@pytest.fixture(scope="module")
def viewer(served: Served) -> requests.Session:
    return served.logged_in("viewer")


def text(answer: requests.Response) -> str:
    """What a reader reads."""
    assert answer.status_code == 200, answer.text[:2000]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", answer.text)))


PAGES = (
    "",
    "missing",
    "conversation",
    f"conversation?id={id_of('scored')}",
    "list?vendor=gong&what=transcript",
    "list?vendor=gong&what=quarantine",
    "replay?vendor=gong",
)


def test_while_the_warehouse_is_written_the_state_is_shown(
    served: Served, viewer: requests.Session
) -> None:
    """First, while there is no copy yet."""
    with DuckDBWarehouse(served.folder / "warehouse.duckdb").open("dbt build"):
        begun = time.monotonic()
        shown = text(served.page(viewer, ""))
        took = time.monotonic() - begun
        story = text(served.page(viewer, f"conversation?id={id_of('pending')}"))
    assert "The warehouse's part is missing just now." in shown
    assert "evaluation_failed" in shown, "what the state knows of runs"
    assert UNREADABLE in shown, "what the state knows of the quarantine"
    assert took < 20, "the first page loads the program too"
    assert "It waits for its transcript" in story
    assert "could not be asked just now" in story
    give_up = time.monotonic() + 20
    while "part is missing" in text(served.page(viewer, "")):
        assert time.monotonic() < give_up


@pytest.mark.parametrize("path", PAGES)
def test_nobody_without_a_login_sees_anything(served: Served, path: str) -> None:
    nobody = requests.Session()
    answer = served.page(nobody, path, allow_redirects=False)
    assert answer.status_code == 307
    assert answer.headers["location"].startswith("/auth/login?next=%2Fsemarize%2F")
    assert answer.text == ""
    forged = served.page(nobody, path, cookies={"_token": "x.y.z"}, allow_redirects=False)
    assert forged.status_code in (307, 401, 403)
    assert "gong" not in forged.text.lower()
    assert (
        nobody.post(f"{served.url}/semarize/replay", data={"token": "x"}, timeout=30).status_code
        == 401
    )


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_kept_by_nobody_and_ask_no_other_machine(
    served: Served, viewer: requests.Session, path: str
) -> None:
    begun = time.monotonic()
    answer = served.page(viewer, path)
    assert answer.status_code == 200
    assert time.monotonic() - begun < 3
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    asked = set(re.findall(r'(?:src|href|action)="([^"]*)"', answer.text))
    assert asked
    outside = {url for url in asked if not url.startswith(("/", "#", "http://127.0.0.1:9/"))}
    assert not outside
    assert MARKUP not in answer.text
    for word in ("Hello", "budget is approved", "Dana", "Acme"):
        assert word not in answer.text


def test_what_is_missing_and_why(served: Served, viewer: requests.Session) -> None:
    first = text(served.page(viewer, ""))
    assert (
        "Gong: 1 record could not be read and is in the quarantine, most for: ValueError" in first
    )
    assert (
        "Gong: 1 Semarize run of the kit interaction_quality ended as failed: evaluation_failed"
        in first
    )
    assert "no words or no run of it" in first
    assert "Gong: The last run failed at" in first
    assert "3 landed, 1 pending, 1 private, 1 quarantined" in first
    assert "2.00 EUR" in first, "four runs were sent"
    page = served.page(viewer, "missing?vendor=gong&shown=30")
    assert "1 of 7 unaccounted" in text(page)
    behind = {
        found[1]: html.unescape(found[0])
        for found in re.findall(r'href="([^"]*what=(\w+))"', page.text)
    }
    assert {"pending", "quarantined", "absent", "private", "deleted", "unaccounted"} <= set(behind)
    for what, id_, why in (
        ("pending", "pending", "the transcript is not ready"),
        ("quarantined", "quarantined", UNREADABLE),
        ("absent", "expired", "no transcript 14 days after it began"),
        ("unaccounted", "lost", "scored"),
    ):
        listed = text(viewer.get(f"{served.url}{behind[what]}", timeout=30))
        assert id_of(id_) in listed
        assert why in listed
        assert "of 1 " not in listed


def test_where_a_conversation_is(served: Served, viewer: requests.Session) -> None:
    scored = served.page(viewer, f"conversation?id=gong:{id_of('scored')}")
    assert "It landed, was scored and is in 1 mart." in text(scored)
    assert f"http://127.0.0.1:9/conversation?conversation=gong%3A{id_of('scored')}" in scored.text
    failed = served.page(viewer, f"conversation?id={id_of('failed')}")
    assert "/replay?vendor=gong&amp;what=failed&amp;reason=evaluation_failed" in failed.text
    erased = text(served.page(viewer, f"conversation?id={id_of('erased')}"))
    assert "It was erased on request." in erased
    unknown = text(served.page(viewer, "conversation?id=<script>alert(1)</script>"))
    assert "Nobody knows <script>alert(1)</script>" in unknown
    assert "landing.quarantine" in unknown
    raw = served.page(viewer, "conversation?id=<script>alert(1)</script>").text
    assert "<script>alert" not in raw
    markup = served.page(viewer, "conversation?id=x1&vendor=chorus").text
    assert html.escape(MARKUP).replace("&quot;", "&#34;") in markup
    assert served.page(viewer, "conversation?id=1&vendor=nobody").status_code == 404
    assert served.page(viewer, "list?vendor=gong&what=everything").status_code == 404
    assert served.page(viewer, "replay?vendor=gong&what=everything").status_code == 404


def form(page: requests.Response) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found, "there is no form"
    return html.unescape(found[1])


REPLAY = "replay?vendor=gong&what=quarantined&reason=" + requests.utils.quote(UNREADABLE)


def test_who_may_only_look_cannot_replay(
    served: Served, viewer: requests.Session, admin: requests.Session
) -> None:
    shown = served.page(viewer, REPLAY)
    assert "Your role may look at this page" in text(shown)
    assert 'name="token"' not in shown.text
    borrowed = form(served.page(admin, REPLAY))
    url = f"{served.url}/semarize/replay"
    before = len(served.runs("replay"))
    for token in (borrowed, "forged"):
        assert viewer.post(url, data={"token": token}, timeout=30).status_code == 403
    assert len(served.runs("replay")) == before


def test_a_replay_wants_our_own_form_and_is_started_once(
    served: Served, admin: requests.Session
) -> None:
    url = f"{served.url}/semarize/replay"
    before = len(served.runs("replay"))
    token = form(served.page(admin, REPLAY))
    assert admin.post(url, timeout=30).status_code == 422
    for bad in ("", "forged", token[:-2] + "xx"):
        assert admin.post(url, data={"token": bad}, timeout=30).status_code in (403, 422)
    elsewhere = {"sec-fetch-site": "cross-site"}
    refused = admin.post(url, data={"token": token}, headers=elsewhere, timeout=30)
    assert refused.status_code == 403
    assert len(served.runs("replay")) == before
    for _ in range(2):
        assert "was started" in text(admin.post(url, data={"token": token}, timeout=30))
    planned = admin.post(url, data={"token": token, "only_plan": "true"}, timeout=30)
    assert "was started" in text(planned)
    confs = [run["conf"] for run in served.runs("replay")][before:]
    assert sorted(conf["dry_run"] for conf in confs) == [False, True]


def test_an_operator_finds_out_what_is_wrong_and_replays(
    served: Served, browser: playwright.Browser
) -> None:
    """From Airflow's login to a replay's run, in a browser, within Airflow's own frame."""
    window = browser.new_page(viewport={"width": 1440, "height": 1000})
    asked: list[str] = []
    window.on("request", lambda request: asked.append(request.url))
    problems: list[str] = []
    window.on("pageerror", lambda problem: problems.append(str(problem)))
    window.goto(served.url)
    window.fill("input[name=username]", "admin")
    window.fill("input[name=password]", PASSWORDS["admin"])
    window.click("button[type=submit]")
    window.get_by_role("button", name="Browse").click()
    window.get_by_text("Conversations", exact=True).click()
    page = window.frame_locator("iframe")
    page.locator("h1", has_text="wrong").wait_for()
    take(window, "overview")
    finding = page.locator(".findings li", has_text="in the quarantine")
    assert UNREADABLE in finding.inner_text()
    # What is missing and why.
    page.get_by_role("link", name="What is missing").first.click()
    page.get_by_role("heading", name="What is missing, and why").wait_for()
    take(window, "missing")
    page.locator('a[href*="what=pending"]').first.click()
    page.get_by_text("the transcript is not ready").wait_for()
    # Where is it.
    page.get_by_role("link", name=id_of("pending")).click()
    page.get_by_text("It waits for its transcript").wait_for()
    page.get_by_label("A conversation's id").fill(id_of("scored"))
    page.get_by_role("button", name="Where is it?").click()
    page.get_by_text("It landed, was scored").wait_for()
    take(window, "conversation")
    # The button.
    before = {run["dag_run_id"] for run in served.runs("replay")}
    page.get_by_role("link", name="Overview").click()
    finding.get_by_role("link", name="Replay them").click()
    page.get_by_text("1 of the quarantine").wait_for()
    take(window, "replay")
    page.get_by_role("button", name="Start the replay").click()
    page.get_by_role("heading", name="The replay was started").wait_for()
    (run,) = [r for r in served.runs("replay") if r["dag_run_id"] not in before]
    assert run["conf"] == {
        "vendor": "gong",
        "what": "quarantined",
        "reason": UNREADABLE,
        "dry_run": False,
    }
    assert run["triggering_user_name"] == "admin"
    # Airflow's own pages open in the whole window, not in the frame.
    page.get_by_role("link", name="Its run in Airflow").click()
    window.wait_for_url(f"**/dags/replay/runs/{run['dag_run_id']}**")
    assert not problems
    ours = (served.url, f"blob:{served.url}", "data:")
    assert [url for url in asked if not url.startswith(ours)] == []


def take(window: playwright.Page, name: str) -> None:
    if not PICTURES:
        return
    # Only now: it loads the dashboards with their charts.
    from screenshots import small

    picture, before = window.screenshot(), b""
    while picture != before:
        window.wait_for_timeout(500)
        picture, before = window.screenshot(), picture
    Path(PICTURES, f"operator-{name}.png").write_bytes(small(picture))


def test_the_page_only_reads(served: Served) -> None:
    """After all of it the state and the warehouse are what the pipeline left."""
    state = State(f"sqlite:///{served.folder / 'state.db'}")
    assert state.ledger.counts("gong")["landed"] == 3
    state.close()
    with DuckDBWarehouse(served.folder / "warehouse.duckdb").open("test") as session:
        (row,) = session.query("select count(*) as n from landing.quarantine")
    assert row["n"] == 1
