"""Settings: what ships loads, what is misspelt is named, and nothing is a default by accident."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from semarize_pipeline.errors import Misconfigured
from semarize_pipeline.privacy.policy import NATIONAL_IDS, Policy, Retention
from semarize_pipeline.settings import (
    CAPS,
    SPEEDS,
    ExtractSettings,
    HistorySettings,
    Kit,
    NotifySettings,
    ScoreSettings,
    Settings,
    load,
    parse,
)
from semarize_pipeline.state.budgets import Limits
from semarize_pipeline.vendors import names
from semarize_pipeline.vendors.base import Timing

INCLUDE = Path(__file__).resolve().parents[2] / "include"
SHIPPED = INCLUDE / "pipeline.toml"
SANDBOX = INCLUDE / "semarize_sandbox" / "pipeline.toml"


SECTIONS = (
    ("extract", ExtractSettings),
    ("score", ScoreSettings),
    ("history", HistorySettings),
    ("notify", NotifySettings),
)


def toml(text: str) -> Settings:
    return parse(tomllib.loads(text))


# ---------------------------------------------------------------------- what ships


def test_the_shipped_file_loads() -> None:
    settings = load(SHIPPED)
    assert settings.kits == ()
    assert settings.timing == {}
    assert settings.score.max_runs_per_day is not None, "nothing ships without a cap on costs"


def test_the_shipped_file_holds_the_defaults() -> None:
    told = tomllib.loads(SHIPPED.read_text())
    told["score"].pop("max_runs_per_day")
    assert parse(told) == Settings()


def test_the_shipped_file_documents_every_setting() -> None:
    """A field of a dataclass that the file does not show is a setting that nobody finds."""
    text = SHIPPED.read_text()
    # Nobody else knows what a run costs: the two lines about it are comments.
    told = tomllib.loads(re.sub(r"(?m)^# (price_per_run|currency) = ", r"\1 = ", text))
    seen = 0
    for section, kind, more in (
        *((section, kind, set()) for section, kind in SECTIONS),
        ("privacy", Policy, {"vendors", "retention_days"}),
    ):
        names = {field.name for field in fields(kind)}
        assert set(told[section]) - more == names, section
        seen += len(names)
    assert seen >= 19
    for name in {field.name for field in fields(Retention)}:
        assert re.search(rf"^# {name} = \d", text, re.MULTILINE), f"retention_days: {name}"
    for name in {field.name for field in fields(Kit)} - {"name"}:
        assert re.search(rf"\b{name}\b", text), f"kits: {name}"
    for name in (*SPEEDS, *CAPS):
        assert re.search(rf"^# .*\b{name}\b", text, re.MULTILINE), f"limits: {name}"
    timing = {f.name for f in fields(Timing)} - {"first_retry_by_channel"}
    for name in timing:
        assert re.search(rf"\b{name}\b", text), f"timing: {name}"
    sections = {"extract", "score", "history", "kits", "timing", "limits", "notify", "privacy"}
    assert {f.name for f in fields(Settings)} == sections
    assert all(map(is_dataclass, (Settings, ExtractSettings, ScoreSettings, Kit)))


def test_the_commented_examples_of_the_shipped_file_work() -> None:
    lines = SHIPPED.read_text().splitlines()
    start = lines.index("# [kits.interaction_quality]")
    example = [
        line.removeprefix("# ")
        for line in lines[start:]
        if re.match(r"# (\[[a-z_.]+\]|[a-z_]+ = )", line)
    ]
    settings = toml("\n".join(example))
    assert [kit.name for kit in settings.kits] == ["interaction_quality"]
    assert settings.timing["gong"] == {"lookback": timedelta(hours=72)}
    assert settings.limits["gong"] == {"requests_per_second": 3.0, "per_day": 25_000}


def test_the_sandbox_s_file_loads() -> None:
    settings = load(SANDBOX)
    covered = {vendor: {kit.name for kit in settings.kits_for(vendor)} for vendor in names()}
    assert all("interaction_quality" in kits for kits in covered.values())
    assert "deal_signals" not in covered["callminer"]
    both = {"methodology_meddicc", "methodology_spiced"}
    assert {vendor for vendor, kits in covered.items() if both <= kits} == {"gong", "salesloft"}
    assert settings.timing_for("gong", Timing()).lag == timedelta(0)


# ---------------------------------------------------------------------- readings


def test_starts() -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    assert toml("").extract.begin(now) == now - timedelta(days=30)
    assert toml('extract.start = "1.5 days"').extract.begin(now) == now - timedelta(hours=36)
    fixed = toml("extract.start = 2026-01-01T02:00:00+02:00").extract
    assert fixed.begin(now) == datetime(2026, 1, 1, tzinfo=UTC)
    assert fixed.begin(now).utcoffset() == timedelta(0)
    naive = toml("extract.start = 2026-01-01T00:00:00").extract
    assert naive.begin(now) == datetime(2026, 1, 1, tzinfo=UTC)


def test_kits() -> None:
    settings = toml(
        """
        [kits.all_of_them]
        code = "A1B2C3D4"
        [kits.some]
        code = "B"
        version_id = "kv_2.3"
        vendors = ["gong", "chorus"]
        """
    )
    assert [kit.name for kit in settings.kits_for("gong")] == ["all_of_them", "some"]
    assert [kit.name for kit in settings.kits_for("callminer")] == ["all_of_them"]
    assert settings.kits[0].version_id is None
    assert settings.kits[1] == Kit(
        name="some", code="B", version_id="kv_2.3", vendors=("gong", "chorus")
    )


def test_a_kit_without_vendors_waits_to_be_named() -> None:
    settings = toml('kits.candidate = {code = "A", vendors = []}')
    assert [kit.name for kit in settings.kits] == ["candidate"]
    assert all(settings.kits_for(vendor) == () for vendor in names())


def test_timing_overrides_only_what_it_names() -> None:
    usual = Timing(lag=timedelta(minutes=5), first_retry_by_channel={"chat": timedelta(seconds=9)})
    settings = toml(
        """
        [timing.gong]
        lookback_hours = 72
        lag_seconds = 0
        expiry_days = 1.5
        longest_retry_minutes = 90
        """
    )
    made = settings.timing_for("gong", usual)
    assert made.lookback == timedelta(days=3)
    assert made.lag == timedelta(0)
    assert made.expiry == timedelta(hours=36)
    assert made.longest_retry == timedelta(minutes=90)
    assert made.first_retry == usual.first_retry
    assert made.first_retry_by_channel == usual.first_retry_by_channel
    assert settings.timing_for("chorus", usual) == usual


def test_limits_of_a_contract_replace_those_that_they_name() -> None:
    usual = Limits(requests_per_second=2, per_day=10_000, cost_header="x-cost", adaptive=True)
    settings = toml("limits.gong = {per_day = 50_000, per_minute = 90, records_per_second = 5.5}")
    assert settings.limits_for("gong", usual) == replace(
        usual, per_day=50_000, per_minute=90, records_per_second=5.5
    )
    assert settings.limits_for("chorus", usual) == usual


# ---------------------------------------------------------------------- refusals

NUMBERS = [
    f"{section}.{field.name}"
    for section, kind in SECTIONS
    for field in fields(kind)
    if "int" in str(field.type) or str(field.type) == "float"
]


def test_there_are_numbers_to_check() -> None:
    assert len(NUMBERS) >= 10


@pytest.mark.parametrize("value", ["0", "-1", '"5"', "true", "[]", "nan", "inf", "-inf"])
@pytest.mark.parametrize("setting", NUMBERS)
def test_a_number_is_above_zero(setting: str, value: str) -> None:
    with pytest.raises(Misconfigured, match=re.escape(setting)):
        toml(f"{setting} = {value}")


@pytest.mark.parametrize(
    "setting", ["extract.batch_conversations", "score.at_once", "score.max_runs_per_day"]
)
def test_a_count_is_a_whole_number(setting: str) -> None:
    with pytest.raises(Misconfigured, match=rf"{re.escape(setting)} must be a whole number"):
        toml(f"{setting} = 2.5")
    toml(f"{setting} = 2")
    toml("extract.slice_hours = 2.5\nscore.patience_seconds = 3")


REFUSED: list[tuple[str, str]] = [
    ("[extrakt]", "extrakt"),
    ("top = 1", "top"),
    ("extract = 5", "extract"),
    ("extract.slise_hours = 1", "extract.slise_hours"),
    ("score.at_ones = 1", "score.at_ones"),
    ('score.mode = "later"', "score.mode"),
    ("score.mode = true", "score.mode"),
    ("score = []", "score"),
    ('extract.start = "a while"', "extract.start"),
    ('extract.start = "x days"', "extract.start"),
    ('extract.start = "nan days"', "extract.start"),
    ('extract.start = "inf days"', "extract.start"),
    ('extract.start = "-3 days"', "extract.start"),
    ("extract.start = 30", "extract.start"),
    ("extract.start = 2026-01-01", "extract.start"),
    ("kits = 5", "kits"),
    ("kits.quality = 5", "kits.quality"),
    ("[kits.quality]", "kits.quality"),
    ('kits.quality = {code = "A", codes = 1}', "kits.quality.codes"),
    ("kits.quality = {code = 12345678}", "kits.quality.code"),
    ('kits.quality = {code = ""}', "kits.quality.code"),
    ('kits.quality = {code = "A", version_id = 3}', "kits.quality.version_id"),
    ('kits.quality = {code = "A", vendors = "gong"}', "kits.quality.vendors"),
    ('kits.quality = {code = "A", vendors = [1]}', "kits.quality.vendors"),
    ("history.live_share = 1", "history.live_share"),
    ("history.most_deleted_share = 1.5", "history.most_deleted_share"),
    ("score.currency = 3", "score.currency"),
    ('kits.quality = {code = "A", vendors = ["gong", "gnog"]}', "kits.quality.vendors"),
    ('kits.quality = {code = "A", name = "other"}', "kits.quality.name"),
    ('kits.Quality = {code = "A"}', "kits.Quality"),
    ('kits."my kit" = {code = "A"}', "kits.my kit"),
    ('kits."1st" = {code = "A"}', "kits.1st"),
    ("timing = 5", "timing"),
    ("timing.gong = 5", "timing.gong"),
    ("timing.gnog.lag_hours = 5", "timing.gnog"),
    ("timing.gong.lookback = 5", "timing.gong.lookback"),
    ("timing.gong.lookback_weeks = 5", "timing.gong.lookback_weeks"),
    ("timing.gong.lookahead_hours = 5", "timing.gong.lookahead_hours"),
    ('timing.gong.lag_hours = "5"', "timing.gong.lag_hours"),
    ("timing.gong.lag_hours = true", "timing.gong.lag_hours"),
    ("timing.gong.lookback_hours = -1", "timing.gong.lookback_hours"),
    ("timing.gong.lag_hours = nan", "timing.gong.lag_hours"),
    ("timing.gong.lag_hours = inf", "timing.gong.lag_hours"),
    ("notify.emails = []", "notify.emails"),
    ('notify.email_to = "ops@example.com"', "notify.email_to"),
    ('notify.email_to = ["ops"]', "notify.email_to"),
    ('notify.email_to = ["a@x.org, b@x.org"]', "notify.email_to"),
    ('notify.email_to = ["a@x.org\\nBcc: b@x.org"]', "notify.email_to"),
    ("notify.stale_after_hours = 0", "notify.stale_after_hours"),
    ("limits = 5", "limits"),
    ("limits.gong = 5", "limits.gong"),
    ("limits.gnog.per_day = 5", "limits.gnog"),
    ("limits.semarize.per_day = 5", "limits.semarize"),
    ("limits.gong.per_hour = 5", "limits.gong.per_hour"),
    ("limits.gong.adaptive = true", "limits.gong.adaptive"),
    ("limits.gong.per_day = 0", "limits.gong.per_day"),
    ("limits.gong.per_day = 1.5", "limits.gong.per_day"),
    ("limits.gong.per_day = true", "limits.gong.per_day"),
    ("limits.gong.requests_per_second = inf", "limits.gong.requests_per_second"),
]


@pytest.mark.parametrize(("text", "named"), REFUSED, ids=[text for text, _ in REFUSED])
def test_a_refusal_names_the_setting(text: str, named: str) -> None:
    with pytest.raises(Misconfigured, match=re.escape(named)):
        toml(text)


def test_a_refusal_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    for content in (b"extract.x = 1", b"extract = ", b"\xff\xfe"):
        file.write_bytes(content)
        with pytest.raises(Misconfigured, match=re.escape(str(file))):
            load(file)


def test_no_file_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="PIPELINE_SETTINGS"):
        load(tmp_path / "missing.toml")
    with pytest.raises(Misconfigured, match=re.escape(str(tmp_path))):
        load(tmp_path)  # a folder


def test_settings_do_not_change() -> None:
    settings: Any = Settings()
    with pytest.raises(AttributeError):
        settings.kits = ()


# ---------------------------------------------------------------------- privacy


def test_nothing_is_redacted_or_forgotten_unless_somebody_says_so() -> None:
    settings = toml("")
    assert {settings.policy_for(vendor).redact for vendor in names()} == {"off"}
    assert settings.privacy.retention_days == Retention()


def test_one_setting_for_all_vendors_and_another_for_one() -> None:
    settings = toml(
        """
        [privacy]
        redact = "semarize"
        kinds = ["email"]
        [privacy.vendors.gong]
        redact = "landing"
        [privacy.vendors.chorus]
        kinds = ["email", "phone"]
        phone_regions = ["DE"]
        [privacy.retention_days]
        raw = 90
        evidence = 30.5
        """
    )
    assert settings.policy_for("salesloft") == Policy(redact="semarize", kinds=("email",))
    assert settings.policy_for("gong") == Policy(redact="landing", kinds=("email",))
    assert settings.policy_for("chorus").kinds == ("email", "phone")
    assert settings.policy_for("chorus").redact == "semarize"
    assert settings.privacy.retention_days == Retention(raw=90, evidence=30.5)


def test_a_policy_s_version_tells_rules_apart_and_not_places() -> None:
    usual = Policy()
    assert usual.version == Policy(redact="landing", patience_seconds=1).version
    others = {
        Policy(kinds=("email",)).version,
        Policy(phone_regions=("DE",)).version,
        Policy(national_ids=NATIONAL_IDS[:1]).version,
        Policy(keep_owner=False).version,
    }
    assert len(others | {usual.version}) == 5


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('privacy.redact = "everything"', "privacy.redact"),
        ('privacy.kinds = ["mail"]', "mail"),
        ('privacy.kinds = "email"', "privacy.kinds"),
        ('privacy.national_ids = ["fr_ssn"]', "fr_ssn"),
        ('privacy.phone_regions = ["Germany"]', "privacy.phone_regions"),
        ('privacy.keep_owner = "no"', "privacy.keep_owner"),
        ("privacy.patience_seconds = 0", "privacy.patience_seconds"),
        ('privacy.vendors.gnog.redact = "off"', "gnog"),
        ("privacy.vendors.gong = 1", "privacy.vendors.gong"),
        ("privacy.retention_days.ledger = 1", "privacy.retention_days.ledger"),
        ("privacy.retention_days.raw = 0", "privacy.retention_days.raw"),
        ("privacy.typo = 1", "privacy.typo"),
    ],
)
def test_a_wrong_privacy_setting_is_named(text: str, named: str) -> None:
    with pytest.raises(Misconfigured, match=re.escape(named)):
        toml(text)
