"""The real ``dbt build`` over the small warehouse: every model, and exact figures."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from typing import Any

import pytest


def moment(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def by(rows: list[dict[str, Any]], *names: str) -> dict[Any, dict[str, Any]]:
    """Rows under their key, which must be one."""
    keyed = {tuple(row[name] for name in names): row for row in rows}
    assert len(keyed) == len(rows), f"{names} do not tell the rows apart"
    return {key[0] if len(key) == 1 else key: row for key, row in keyed.items()}


def test_the_build_succeeds_and_warns_only_of_the_score_off_its_scale(built: Any) -> None:
    assert built.code == 0, built.output
    statuses = built.statuses()
    assert len(statuses) > 150
    warned = {name for name, status in statuses.items() if status == "warn"}
    assert [name.split(".")[2] for name in warned] == ["every_score_is_on_its_scale"]
    assert set(statuses.values()) <= {"success", "pass", "warn", "no-op"}


def test_every_model_is_in_the_schema_of_its_folder(built: Any, manifest: dict[str, Any]) -> None:
    found = {
        (row["table_schema"], row["table_name"])
        for row in built.query("select table_schema, table_name from information_schema.tables")
    }
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    assert len(models) > 30
    for model in models:
        folder = model["path"].split("/")[0]
        if "/workforce/" in model["path"]:
            folder = "workforce"  # people at work: HR reads it, not who reads the marts
        elif model["name"] == "int_utterances__texts":
            folder = "staging"  # what was said is read there alone
        assert (folder, model["name"]) in found


def test_every_statement_of_a_model_says_who_asks(built: Any, manifest: dict[str, Any]) -> None:
    log = (built.target / "logs" / "dbt.log").read_text()
    asked = [json.loads(text) for text in re.findall(r"/\* (\{\"project\".*?\}) \*/", log)]
    models = {name for name in manifest["nodes"] if name.startswith("model.")}
    assert models
    assert models <= {each["node"] for each in asked}
    assert {each["project"] for each in asked} == {"semarize_conversations"}
    assert {each["run"] for each in asked} == {"manual"}
    assert {each["invocation"] for each in asked} == {manifest["metadata"]["invocation_id"]}


def test_a_condition_on_the_batch_reaches_landing(built: Any) -> None:
    """Through the views and the union: of batches that are not there, no table is read at all."""
    for view in ("int_utterances__unioned", "int_signals__normalised"):
        plans = {
            stamp: built.query(
                f"explain select conversation_key from intermediate.{view} "
                f"where loaded_at in ('{stamp}'::timestamptz)"
            )[0]["explain_value"]
            for stamp in ("2026-03-03T16:00:00Z", "2030-01-01T00:00:00Z")
        }
        assert ".landing." in plans["2026-03-03T16:00:00Z"], view
        assert ".landing." not in plans["2030-01-01T00:00:00Z"], view


def test_agent_daily_scorecards(built: Any) -> None:
    cards = by(
        built.query("select * from marts.agent_daily_scorecards"),
        "agent_id", "scorecard_date", "channel", "kit_version_id",
    )  # fmt: skip
    monday, tuesday = date(2026, 3, 2), date(2026, 3, 3)
    assert set(cards) == {
        ("A1", monday, "voice", "iq-v1"),
        ("A1", monday, "voice", "iq-v2"),
        ("A1", monday, "email", "iq-v1"),
        ("A2", tuesday, "chat", "iq-v2"),
    }

    first = cards["A1", monday, "voice", "iq-v1"]
    assert first["conversations_scored"] == 2
    assert first["compliance_score"] == pytest.approx(0.8)
    assert first["compliance_score_normalised"] == pytest.approx(0.8)
    assert first["empathy_score"] == pytest.approx(0.7)
    assert first["escalation_risk"] == pytest.approx(0.2)
    assert first["resolution_achieved_share"] == 0.5
    # One refund, one billing: the alphabet decides.
    assert (first["topic_primary"], first["topic_conversations"]) == ("billing", 1)
    assert first["agent_name"] == "Agent A1"
    assert first["last_scored_at"] == moment(2, 11, 15)

    # Scored again by the second version: it counts there, and no longer with the first.
    second = cards["A1", monday, "voice", "iq-v2"]
    assert second["conversations_scored"] == 1
    assert second["compliance_score"] == 0.5
    assert second["conversations_with_resolution"] == 0
    assert second["resolution_achieved_share"] is None
    assert first["kit_versions_on_the_day"] == second["kit_versions_on_the_day"] == 2
    assert cards["A1", monday, "email", "iq-v1"]["kit_versions_on_the_day"] == 1


def test_conversation_explorer(built: Any) -> None:
    rows = by(built.query("select * from marts.conversation_explorer"), "conversation_key")
    assert set(rows) == {
        "gong:g1", "gong:g2", "gong:g3", "gong:g4", "salesloft:s1", "clari_copilot:c1",
        "callminer:m1", "callminer:m2", "callminer:m3", "callminer:m4", "callminer:m6",
        "chorus:h1",
    }  # fmt: skip

    discovery = rows["gong:g1"]
    assert discovery["rep_key"] == rows["salesloft:s1"]["rep_key"] == "ana@acme.test"
    assert discovery["rep_name"] == "Ana"
    assert discovery["deal_stage"] == "Discovery"
    assert discovery["language"] is None
    assert discovery["rep_talk_share"] == 0.75
    assert discovery["participant_count"] == 2
    assert discovery["overall_score"] == 64
    assert discovery["overall_score_normalised"] == pytest.approx(0.64)
    assert discovery["competitors_mentioned"] == '["Initech"]'
    assert discovery["compliance_score"] is None

    # Off its scale: shown as it came, and kept out of what is averaged.
    assert rows["gong:g3"]["overall_score"] == 120
    assert rows["gong:g3"]["overall_score_normalised"] is None
    # Half past midnight in Paris is Monday in UTC.
    assert rows["gong:g2"]["started_on"] == date(2026, 3, 2)
    assert rows["gong:g2"]["transcript_status"] == "pending"
    assert rows["gong:g2"]["rep_name"] == "Ana"
    # An email has messages, and neither speakers nor a length.
    assert rows["callminer:m4"]["utterance_count"] == 2
    assert rows["callminer:m4"]["rep_talk_share"] is None
    assert rows["callminer:m4"]["duration_seconds"] is None
    # The latest version is the one shown.
    assert rows["callminer:m3"]["interaction_quality_kit_version_id"] == "iq-v2"
    assert rows["callminer:m3"]["topic_primary"] == "billing"
    assert rows["chorus:h1"]["is_scored"] is False
    assert rows["chorus:h1"]["team"] == "East"


def test_pipeline_health(built: Any) -> None:
    rows = by(built.query("select * from marts.pipeline_health"), "vendor", "date_day")
    monday, tuesday = date(2026, 3, 2), date(2026, 3, 3)
    assert set(rows) == {
        ("gong", monday),
        ("gong", tuesday),
        ("salesloft", monday),
        ("clari_copilot", tuesday),
        ("callminer", monday),
        ("callminer", tuesday),
        ("chorus", monday),
    }
    states = ("landed", "pending", "absent", "expired", "quarantined", "private", "deleted")
    for row in rows.values():
        assert row["listed"] == sum(row[state] for state in states)
        assert row["unaccounted"] == 0
        assert row["landed"] == row["scored"] + row["awaiting_score"] + row["unscored"]
    assert sum(row["listed"] for row in rows.values()) == 17
    for state in states:
        assert any(row[state] for row in rows.values()), f"no conversation is {state}"

    gong = rows["gong", monday]
    assert [gong[s] for s in ("listed", "landed", "scored", "pending", "absent", "deleted")] == [
        5, 2, 2, 1, 1, 1,
    ]  # fmt: skip
    # Ten minutes, and a day for the transcript that came late.
    assert gong["seconds_to_landed_median"] == pytest.approx((600 + 86_400) / 2)
    assert gong["seconds_to_landed_p95"] == pytest.approx(600 + 0.95 * 85_800)
    assert gong["seconds_to_scored_median"] == pytest.approx((720 + 86_700) / 2)
    assert gong["oldest_pending_at"] == moment(2, 23, 30)
    assert gong["oldest_pending_seconds"] == 16.5 * 3600
    assert (gong["load_count"], gong["requests"], gong["paid_run_count"]) == (3, 32, 1)
    # The backfill reached further and does not count.
    assert gong["watermark_at"] == moment(2, 23)
    assert gong["watermark_lag_seconds"] == 59 * 60
    assert gong["failure_share"] == 0

    later = rows["gong", tuesday]
    assert (later["listed"], later["requests"], later["failure_share"]) == (0, 9, None)
    assert later["watermark_at"] == moment(3, 15)

    chorus = rows["chorus", monday]
    assert (chorus["quarantined"], chorus["score_failed"], chorus["private"]) == (1, 1, 1)
    assert chorus["failure_share"] == pytest.approx(2 / 3)
    assert chorus["quarantined_record_count"] == 1
    # Paid twice since the first run failed; it is scored, so it is no failure.
    assert rows["callminer", tuesday]["paid_run_count"] == 3
    assert rows["callminer", tuesday]["failure_share"] == 0
    # Recorded and never accepted by Semarize: not paid.
    assert rows["clari_copilot", tuesday]["paid_run_count"] == 0


def test_pipeline_conversations(built: Any) -> None:
    """Which calls, where each stands and why; counted, they are the days of pipeline_health."""
    rows = by(built.query("select * from marts.pipeline_conversations"), "conversation_key")
    assert len(rows) == 17
    assert all(row["reason"] or row["state"] == "scored" for row in rows.values())
    assert (rows["gong:g1"]["state"], rows["gong:g1"]["reason"]) == ("scored", None)
    assert rows["salesloft:s2"]["state"] == "pending"
    assert rows["salesloft:s2"]["reason"] == "listed, and not tried yet"
    assert (rows["chorus:h1"]["state"], rows["chorus:h1"]["reason"]) == ("unscored", "model_error")
    assert rows["clari_copilot:c1"]["reason"] == "no kit is configured for this vendor"
    for day in built.query("select * from marts.pipeline_health"):
        of_the_day = [
            row["state"]
            for row in rows.values()
            if (row["vendor"], row["date_day"]) == (day["vendor"], day["date_day"])
        ]
        assert len(of_the_day) == day["listed"]
        for state in ("scored", "awaiting_score", "unscored", "pending", "absent", "deleted"):
            assert of_the_day.count(state) == day[state], state


def test_facts_and_dimensions(built: Any) -> None:
    values = by(built.query("select * from marts.fct_brick_values"), "signal_key")
    assert len(values) == 6 * 5 + 3 * 5
    assert values["run-iq-v1-m3:compliance_score"]["is_latest"] is False
    assert values["run-iq-v2-m3:compliance_score"]["is_latest"] is True
    assert values["run-ds-v1-g1:risk_flag"]["value_normalised"] == 0.0
    assert values["run-ds-v1-g3:overall_score"]["is_off_scale"] is True

    runs = by(built.query("select * from marts.fct_scoring_runs"), "idempotency_key")
    assert len(runs) == 12
    assert sum(run["is_paid"] for run in runs.values()) == 11

    kits = by(built.query("select * from marts.dim_kits"), "kit_version_id")
    assert [kits[v]["is_newest_version"] for v in ("iq-v1", "iq-v2")] == [False, True]
    reps = by(built.query("select * from marts.dim_reps"), "rep_key")
    assert reps["ana@acme.test"]["vendor_count"] == 2
    assert reps["ana@acme.test"]["conversation_count"] == 4

    sunday = built.query("select * from marts.dim_dates where date_day = '2026-03-01'")[0]
    assert (sunday["iso_day_of_week"], sunday["is_weekend"]) == (7, True)
    assert sunday["week_start"] == date(2026, 2, 23)


def test_a_vendors_own_columns_are_typed(built: Any) -> None:
    gong = built.query(
        "select account_id, crm_ids ->> 'account' as account, is_recording_available "
        "from staging.stg_gong__conversations where conversation_id = 'g1'"
    )
    assert gong == [{"account_id": "001A", "account": "001A", "is_recording_available": True}]
    salesloft = built.query(
        "select cadence_id, cadence_step_number from staging.stg_salesloft__conversations"
    )
    assert salesloft == [{"cadence_id": "77", "cadence_step_number": 4}]
    copilot = built.query(
        "select talk_ratio_rep, talk_ratio_customer, topics ->> 1 as second_topic "
        "from staging.stg_clari_copilot__conversations"
    )
    assert copilot == [
        {"talk_ratio_rep": 0.42, "talk_ratio_customer": None, "second_topic": "security"}
    ]
    callminer = built.query(
        "select distinct customer_id, wrap_up_codes ->> 0 as code "
        "from staging.stg_callminer__conversations"
    )
    assert callminer == [{"customer_id": "C9", "code": "done"}]
    chorus = built.query(
        "select talk_ratio, question_count, trackers ->> 0 as tracker "
        "from staging.stg_chorus__conversations"
    )
    assert chorus == [{"talk_ratio": 0.6, "question_count": 12, "tracker": "budget"}]


def test_staging_derives_ends_addresses_and_durations(built: Any) -> None:
    ends = by(
        built.query(
            "select conversation_id, ended_at, owner_email from staging.stg_gong__conversations "
            "union all select conversation_id, ended_at, owner_email "
            "from staging.stg_callminer__conversations"
        ),
        "conversation_id",
    )
    assert ends["g1"]["ended_at"] == moment(2, 9, 30)
    assert ends["g1"]["owner_email"] == "ana@acme.test"
    assert ends["m4"]["ended_at"] == moment(2, 13)

    turns = by(
        built.query("select utterance_key, spoken_seconds from staging.stg_callminer__utterances"),
        "utterance_key",
    )
    assert {key: row["spoken_seconds"] for key, row in turns.items()} == {
        "callminer:m1:0": 30.0,
        "callminer:m1:1": 30.0,
        "callminer:m2:0": None,
        "callminer:m2:1": None,
        "callminer:m4:0": None,
        "callminer:m4:1": None,
    }


def test_a_score_without_a_version_has_a_key(built: Any) -> None:
    score = built.query(
        "select score_key, kit_version_id from staging.stg_semarize__deal_signals_scores "
        "where conversation_id = 's1'"
    )
    assert score == [
        {
            "score_key": "salesloft:s1:deal_signals:unversioned",
            "kit_version_id": "deal_signals:unversioned",
        }
    ]
    kits = built.query("select kit_version_id from marts.dim_kits where kit_name = 'deal_signals'")
    assert {kit["kit_version_id"] for kit in kits} == {"ds-v1", "deal_signals:unversioned"}


def test_what_was_said_stays_in_staging(built: Any) -> None:
    columns = built.query(
        "select table_schema, column_name from information_schema.columns "
        "where table_schema in ('staging', 'intermediate', 'marts', 'workforce')"
    )
    with_words = {
        row["table_schema"]
        for row in columns
        if row["column_name"] in ("transcript", "utterance_text", "raw")
    }
    assert with_words == {"staging"}
