"""Forms: what they mean, and that every refusal begins with the field's name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from semarize_pipeline import orders, vendors
from semarize_pipeline.campaigns import Caps
from semarize_pipeline.errors import Misconfigured
from semarize_pipeline.model import Window
from semarize_pipeline.settings import Kit, ScoreSettings, Settings

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
QUALITY, CANDIDATE = Kit(name="quality", code="A"), Kit(name="candidate", code="B", vendors=())
SETTINGS = Settings(kits=(QUALITY, CANDIDATE), score=ScoreSettings(price_per_run=0.1))
ORDERS = {"rescore": orders.rescore, "backfill": orders.backfill, "replay": orders.replay}


def order(kind: str, form: Mapping[str, Any], settings: Settings = SETTINGS) -> Any:
    return ORDERS[kind](form, settings, run="manual__1", now=NOW)


def test_days_are_whole_and_both_included() -> None:
    made = order("backfill", {"from": "2026-02-01", "to": "2026-02-28"})
    assert made.window == Window(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
    assert order("backfill", {"from": "2026-02-01"}).window.end == NOW
    assert order("backfill", {"from": "2026-03-10", "to": "2026-03-10"}).window.end == NOW


def test_empty_fields_are_what_the_form_says_they_are() -> None:
    empty = {"vendor": "all", "to": None, "kits": [], "max_runs": None, "campaign": None}
    made = order("backfill", {"from": "2026-02-01", **empty, "order": "newest first"})
    assert made == order("backfill", {"from": "2026-02-01"})
    assert made.vendors == vendors.names()
    assert made.campaign == "manual__1"
    assert (made.kits, made.caps, made.dry_run, made.newest_first) == ((), Caps(), False, True)
    assert order("replay", {}).what == {"quarantined", "failed"}


def test_kits_are_named_as_in_the_settings_file_and_may_be_pinned() -> None:
    made = order("rescore", {"ids": "a, b\na", "kits": ["quality@kv_1", "quality", "candidate"]})
    assert [(kit.code, kit.version_id) for kit in made.kits] == [
        ("A", "kv_1"),
        ("A", None),
        ("B", None),
    ]
    assert (made.ids, made.window) == (("a", "b"), None)


def test_two_caps_are_one() -> None:
    assert order("backfill", {"from": "2026-02-01", "max_cost": 2, "max_runs": 30}).caps.runs == 20
    assert order("backfill", {"from": "2026-02-01", "max_cost": 9, "max_runs": 30}).caps.runs == 30
    assert order("backfill", {"from": "2026-02-01", "max_calls": 0}).caps == Caps(calls=0)


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("backfill", {}, "from"),
    ("backfill", {"to": "2026-02-01"}, "from"),
    ("backfill", {"from": "yesterday"}, "from"),
    ("backfill", {"from": 20260201}, "from"),
    ("backfill", {"from": "2026-04-01"}, "from"),
    ("backfill", {"from": "2026-02-01", "to": "2026-01-31"}, "to"),
    ("backfill", {"from": "2026-02-01", "to": "2026-02-30"}, "to"),
    ("backfill", {"from": "2026-02-01", "vendor": "gnog"}, "vendor"),
    ("backfill", {"from": "2026-02-01", "vendor": ["gong"]}, "vendor"),
    ("backfill", {"from": "2026-02-01", "kits": ["unheard"]}, "kits"),
    ("backfill", {"from": "2026-02-01", "kits": ["quality@"]}, "kits"),
    ("backfill", {"from": "2026-02-01", "kits": [3]}, "kits"),
    ("backfill", {"from": "2026-02-01", "order": "random"}, "order"),
    ("backfill", {"from": "2026-02-01", "max_calls": -1}, "max_calls"),
    ("backfill", {"from": "2026-02-01", "max_calls": 1.5}, "max_calls"),
    ("backfill", {"from": "2026-02-01", "max_calls": True}, "max_calls"),
    ("backfill", {"from": "2026-02-01", "max_cost": -0.5}, "max_cost"),
    ("backfill", {"from": "2026-02-01", "max_cost": "5"}, "max_cost"),
    ("backfill", {"from": "2026-02-01", "max_cost": float("nan")}, "max_cost"),
    ("backfill", {"from": "2026-02-01", "campaign": 5}, "campaign"),
    ("backfill", {"from": "2026-02-01", "campaign": "x" * 251}, "campaign"),
    ("backfill", {"from": "2026-02-01", "dry_run": "yes"}, "dry_run"),
    ("backfill", {"form": "2026-02-01"}, "form"),
    ("rescore", {"kits": ["quality"]}, "from"),
    ("rescore", {"from": "2026-02-01"}, "kits"),
    ("rescore", {"ids": [1], "kits": ["quality"]}, "ids"),
    ("rescore", {"ids": [str(n) for n in range(10_001)], "kits": ["quality"]}, "ids"),
    ("replay", {"what": "everything"}, "what"),
    ("replay", {"what": ["failed"]}, "what"),
    ("replay", {"reason": 5}, "reason"),
]


@pytest.mark.parametrize(("kind", "form", "field"), REFUSED)
def test_a_refusal_begins_with_the_field(kind: str, form: dict[str, Any], field: str) -> None:
    with pytest.raises(Misconfigured, match=rf"^{field}: "):
        order(kind, form)


def test_a_cap_on_cost_needs_a_price() -> None:
    with pytest.raises(Misconfigured, match=r"^max_cost: .*score\.price_per_run"):
        order("backfill", {"from": "2026-02-01", "max_cost": 5}, Settings())
