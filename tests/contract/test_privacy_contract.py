"""What is redacted, proven for every vendor from its API to the warehouse and to Semarize."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
from bench import NOW, REP, Bench, call

from semarize_pipeline.privacy.policy import Policy
from semarize_pipeline.settings import PrivacySettings
from semarize_sandbox.model import Call, Turn

Start = Callable[..., Bench]
# Of the rep, the columns by which the marts know her stay; the buyer's name appears nowhere.
SECRETS = ("kim@acme", "4111", "020 7946 0958", "NWBK")
# CallMiner names the agent and no customer here: a name that nobody gives cannot be looked for.
NAMES = {"callminer": (REP.name,)}
WORDS = (
    Turn("u-1", 0.0, 4.0, "Hello Kim, this call is recorded. Kim Osei, is it?"),
    Turn("c-1", 4.5, 9.0, "Yes, kim@acme.example.com. Our budget is approved, $500 at 10:30."),
    Turn(
        "c-1", 9.5, 12.0, "Card 4111 1111 1111 1111, phone 020 7946 0958, GB29NWBK60161331926819."
    ),
)


def told(vendor: str, number: int = 0, **changes: Any) -> Call:
    started = NOW - timedelta(hours=5)
    return call(vendor, number, started, turns=WORDS, title="Kim Osei / renewal", **changes)


def secrets(vendor: str) -> tuple[str, ...]:
    return (*SECRETS, *NAMES.get(vendor, ("Kim", "Osei")))


def redact(bench: Bench, place: Any, **changes: Any) -> None:
    bench.set(privacy=PrivacySettings(policy=Policy(redact=place, **changes)))


def everything_landed(bench: Bench) -> str:
    """All cells of all landing tables, as text."""
    names = bench.query(
        "select table_name from information_schema.tables where table_schema = 'landing'"
    )
    assert len(names) >= 8
    rows = [bench.query(f"select * from landing.{row['table_name']}") for row in names]
    return orjson.dumps(rows, default=str).decode()


def everything_sent(bench: Bench) -> str:
    sent = bench.world.requests("semarize")
    assert sent
    return orjson.dumps([each.body for each in sent], default=str).decode()


def test_before_landing_nobody_s_data_comes_through(start: Start, vendor: str) -> None:
    late = told(vendor, 1, ready_after=timedelta(hours=8))
    bench = start([told(vendor), late])
    redact(bench, "landing")
    report = bench.extract()
    assert (report.landed, report.pending, report.quarantined) == (1, 1, 0)
    bench.clock.advance(days=1)
    assert bench.extract().landed == 1, "the late one, read out of what was sealed"
    assert bench.score().scored == 2
    landed, sent = everything_landed(bench), everything_sent(bench)
    for secret in secrets(vendor):
        assert secret not in sent, secret
        assert secret not in landed or secret == REP.name, secret
    # Whoever was there can still be told apart.
    for row in bench.conversations().values():
        assert row["_redaction"]["counts"]["card"] >= 1
        assert "$500 at 10:30" in row["transcript"]
        assert "this call is recorded" in row["transcript"]
        people = {p["name"] for p in row["participants"]}
        assert people == {"[REP 1]"} | (set() if vendor in NAMES else {"[CUSTOMER 1]"})
        assert row["owner_id"] or row["owner_name"]
        assert "sealed" not in row["raw"]
    speakers = {"Agent", "Customer"} if vendor in NAMES else {"[REP 1]", "[CUSTOMER 1]"}
    assert {row["speaker"] for row in bench.utterances()} == speakers
    (policy,) = bench.query("select distinct _redaction->>'policy' p from landing.semarize__runs")
    assert policy["p"] == bench.settings.policy_for(vendor).version


def test_before_semarize_landing_keeps_the_words(start: Start, vendor: str) -> None:
    bench = start([told(vendor)])
    redact(bench, "semarize")
    bench.extract()
    assert bench.score().scored == 1
    (row,) = bench.conversations().values()
    assert row["_redaction"] is None
    assert "4111 1111 1111 1111" in row["transcript"]
    sent = everything_sent(bench)
    for secret in (*secrets(vendor), REP.name):
        assert secret not in sent, secret
    assert "Card [CARD], phone [PHONE], [IBAN]." in sent
    assert vendor in NAMES or "[REP 1]: Hello [CUSTOMER 1]" in sent


def test_what_cannot_be_redacted_neither_lands_nor_leaves(start: Start, vendor: str) -> None:
    bench = start([told(vendor)])
    redact(bench, "landing", patience_seconds=1e-9)
    report = bench.extract()
    assert (report.landed, report.quarantined) == (0, 1)
    assert bench.score().requests == 0
    (odd,) = bench.query("select stage, reason, raw from landing.quarantine")
    assert odd["stage"] == "redaction"
    assert "privacy.patience_seconds" in odd["reason"]
    landed = everything_landed(bench)
    for secret in (*SECRETS, "Kim", "Osei", REP.name):
        assert secret not in landed, secret
    assert bench.statuses() == {"quarantined": 1}
