"""A worker is handed back: long limits and slow runs are waited for in the triggerer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bench import call

from semarize_pipeline import connect, vendors
from semarize_sandbox.faults import Fault
from semarize_sandbox.server import Sandbox, running
from semarize_sandbox.world import World

SETTINGS = """
[extract]
start = "3 days"
[score]
patience_seconds = 0.3
requests_per_second = 500
[kits.interaction_quality]
code = "C5A1E07B"
"""


@pytest.fixture
def waiting(stores: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox with two Gong calls, and state and a warehouse of its own."""
    now = datetime.now(UTC)
    given = [call("gong", n, now - timedelta(hours=5 + n)) for n in range(2)]
    with running(World(given)) as sandbox:
        (tmp_path / "pipeline.toml").write_text(SETTINGS)
        monkeypatch.setenv("PIPELINE_SETTINGS", str(tmp_path / "pipeline.toml"))
        for name, connection in sandbox.connections().items():
            monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", connection)
        yield sandbox


def context(task_id: str) -> dict[str, Any]:
    """As much of a task's context as the operators read."""
    return {
        "ti": SimpleNamespace(dag_id="conversations__gong", run_id="by-hand", task_id=task_id),
        "dag_run": SimpleNamespace(run_after=datetime.now(UTC)),
        "outlet_events": {},
    }


def test_a_limit_of_hours_defers_the_task(waiting: Sandbox) -> None:
    from airflow.sdk.exceptions import TaskDeferred

    from semarize_airflow.operators.extract_operator import ExtractConversationsOperator

    fault = Fault(kind="status", status=429, headers={"Retry-After": "7200"}, body={}, count=1)
    waiting.world.fault("gong", fault)
    operator = ExtractConversationsOperator(task_id="extract", vendor="gong")
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(context("extract"))
    path, arguments = deferred.value.trigger.serialize()
    assert path.endswith("DateTimeTrigger")
    left = arguments["moment"] - datetime.now(UTC)
    assert timedelta(minutes=115) < left <= timedelta(minutes=121)
    assert deferred.value.method_name == "resume"


def test_slow_runs_defer_the_task_with_ids_only(waiting: Sandbox) -> None:
    from airflow.sdk.exceptions import TaskDeferred

    from semarize_airflow.operators.extract_operator import ExtractConversationsOperator
    from semarize_airflow.operators.score_operator import ScoreConversationsOperator
    from semarize_airflow.triggers.score_trigger import ScoreTrigger

    waiting.world.switch("semarize", run_seconds=4.0)
    ExtractConversationsOperator(task_id="extract", vendor="gong").execute(context("extract"))
    with pytest.raises(TaskDeferred) as deferred:
        ScoreConversationsOperator(task_id="score", vendor="gong").execute(context("score"))
    path, arguments = deferred.value.trigger.serialize()
    assert path == "semarize_airflow.triggers.score_trigger.ScoreTrigger"
    assert set(arguments) == {"semarize_conn_id", "run_ids", "deadline", "poll_seconds"}
    assert len(arguments["run_ids"]) == 2
    assert "budget" not in json.dumps(arguments), "no words of a conversation"

    again = ScoreTrigger(**{**arguments, "poll_seconds": 0.5})
    assert again.serialize()[1] == {**arguments, "poll_seconds": 0.5}

    async def first() -> Any:
        return await anext(again.run())

    event = asyncio.run(asyncio.wait_for(first(), 30))
    assert set(event.payload) == {"ended"}
    assert set(event.payload["ended"]) <= set(arguments["run_ids"])
    assert event.payload["ended"]


def test_the_deadline_ends_the_wait(waiting: Sandbox) -> None:
    from semarize_airflow.triggers.score_trigger import ScoreTrigger

    ends = (datetime.now(UTC) + timedelta(seconds=0.4)).isoformat()
    trigger = ScoreTrigger("semarize_default", ["run_x"], ends, poll_seconds=1.0)
    waiting.world.fault(
        "semarize",
        Fault(kind="status", status=200, body={"run_id": "run_x", "status": "running"}, count=None),
    )

    async def first() -> Any:
        return await anext(trigger.run())

    assert asyncio.run(asyncio.wait_for(first(), 30)).payload == {"ended": []}


@pytest.mark.slow
def test_a_whole_dag_with_slow_runs_ends_well(waiting: Sandbox, dag_bag: Any, pools: None) -> None:
    waiting.world.switch("semarize", run_seconds=6.0)
    dag_run = dag_bag.dags["conversations__gong"].test()
    assert dag_run.state == "success"
    assert waiting.world.standins["semarize"].counts()["runs_paid"] == 2


def test_extras_never_become_headers(waiting: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """HttpHook sends a connection's extra as headers; ours holds refresh tokens."""
    from semarize_airflow.hooks.vendor_hook import VendorHook

    hook = VendorHook("salesloft")
    session = hook.get_conn()
    sent = " ".join(f"{k}: {v}" for k, v in session.headers.items())
    held = waiting.credentials("salesloft")["extra"]
    assert held["refresh_token"]
    assert all(value not in sent for value in held.values())
    assert session.verify is True


def test_limits_of_the_settings_hold_wherever_a_hook_is_made(
    waiting: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from semarize_airflow.hooks.semarize_hook import SemarizeHook
    from semarize_airflow.hooks.state_hook import StateHook
    from semarize_airflow.hooks.vendor_hook import VendorHook
    from semarize_airflow.run import read_settings

    settings = tmp_path / "contract.toml"
    settings.write_text("limits.gong.per_day = 2\nscore.requests_per_second = 7")
    monkeypatch.setenv("PIPELINE_SETTINGS", str(settings))
    hook = VendorHook("gong")
    assert hook.vendor.limits.per_day == 2
    assert [hook.test_connection()[0] for _ in range(3)] == [True, True, False]
    assert SemarizeHook().limits.requests_per_second == 7
    shown = StateHook().get_conn().budgets.usage(connect.all_limits(read_settings()))
    (day,) = (each for each in shown if (each.key, each.period) == ("gong_default", "day"))
    assert (day.cap, day.used, day.left) == (2, 2, 0)
    assert {each.key for each in shown} == {
        *(f"{vendor}_default" for vendor in vendors.names()),
        "semarize_default",
    }


def test_a_connection_can_be_tested(waiting: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    from semarize_airflow.hooks.semarize_hook import SemarizeHook
    from semarize_airflow.hooks.vendor_hook import VendorHook

    assert VendorHook("gong").test_connection()[0]
    assert SemarizeHook().test_connection() == (True, "Semarize answered")
    wrong = {**json.loads(waiting.connections()["gong_default"]), "password": "wrong-secret"}
    monkeypatch.setenv("AIRFLOW_CONN_GONG_DEFAULT", json.dumps(wrong))
    good, message = VendorHook("gong").test_connection()
    assert not good
    assert "gong_default" in message
    assert "wrong-secret" not in message
