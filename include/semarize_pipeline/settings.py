"""The pipeline's settings: one TOML file, checked when it is read.

``include/pipeline.toml`` documents every setting and holds the defaults; the environment
variable PIPELINE_SETTINGS names another file (the DAGs read it when they run, never when
they are parsed).
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar

from semarize_pipeline.errors import Misconfigured
from semarize_pipeline.privacy.policy import KINDS, NATIONAL_IDS, PLACES, Policy, Retention
from semarize_pipeline.state.budgets import Limits
from semarize_pipeline.vendors import names as vendor_names
from semarize_pipeline.vendors.base import Timing

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """A Semarize kit: what it is called here, and its code there.

    ``version_id`` pins a version; without it each run uses the version that is published.
    """

    name: str
    code: str
    version_id: str | None = None
    vendors: tuple[str, ...] = ("*",)

    def covers(self, vendor: str) -> bool:
        return "*" in self.vendors or vendor in self.vendors


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractSettings:
    """How conversations are read."""

    start: datetime | timedelta = timedelta(days=30)
    slice_hours: float = 24.0
    batch_conversations: int = 200
    load_characters: int = 3_500_000
    pending_per_run: int = 500

    def begin(self, now: datetime) -> datetime:
        """Where a first run begins."""
        return now - self.start if isinstance(self.start, timedelta) else self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreSettings:
    """How transcripts are evaluated, and what that may cost.

    ``max_runs_per_day`` caps the paid runs of all vendors together. A transcript longer than
    ``max_transcript_characters`` is refused with that reason, never cut. ``price_per_run`` is
    what a run costs you, in ``currency``: for forecasts and for caps on cost.
    """

    mode: Literal["async", "sync"] = "async"
    at_once: int = 16
    patience_seconds: float = 60.0
    deadline_minutes: float = 120.0
    attempts: int = 2
    retry_failed_after_minutes: float = 30.0
    max_runs_per_day: int | None = None
    max_transcript_characters: int = 400_000
    requests_per_second: float = 20.0
    batch_conversations: int = 100
    price_per_run: float | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySettings:
    """How the past is read and scored: backfill, rescore, replay and reconcile.

    ``live_share`` of each limit is left to the hourly runs. A plan above ``approve_above_calls``
    or ``approve_above_runs`` waits for a person. ``most_deleted_share`` is how much of a window
    may vanish from a vendor's listing before that is taken for a credential that sees less.
    """

    live_share: float = 0.3
    slice_hours: float = 24.0
    plan_slices: int = 8
    approve_above_calls: int = 10_000
    approve_above_runs: int = 1_000
    reconcile_days: int = 30
    most_deleted_share: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifySettings:
    """Who is told when a task fails, and from which age on marts and conversations are too old."""

    email_to: tuple[str, ...] = ()
    stale_after_hours: float = 26.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacySettings:
    """What becomes of personal data: for all vendors, for some, and for how long."""

    policy: Policy = field(default_factory=Policy)
    vendors: Mapping[str, Policy] = field(default_factory=dict)
    retention_days: Retention = field(default_factory=Retention)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that a deployment decides."""

    extract: ExtractSettings = field(default_factory=ExtractSettings)
    score: ScoreSettings = field(default_factory=ScoreSettings)
    history: HistorySettings = field(default_factory=HistorySettings)
    kits: tuple[Kit, ...] = ()
    timing: Mapping[str, Mapping[str, timedelta]] = field(default_factory=dict)
    limits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    notify: NotifySettings = field(default_factory=NotifySettings)
    privacy: PrivacySettings = field(default_factory=PrivacySettings)

    def kits_for(self, vendor: str) -> tuple[Kit, ...]:
        return tuple(kit for kit in self.kits if kit.covers(vendor))

    def policy_for(self, vendor: str) -> Policy:
        return self.privacy.vendors.get(vendor, self.privacy.policy)

    def timing_for(self, vendor: str, usual: Timing) -> Timing:
        return usual.but(**self.timing.get(vendor, {}))

    def limits_for(self, vendor: str, usual: Limits) -> Limits:
        """A vendor's limits as your contract has them, instead of those in its file."""
        return replace(usual, **self.limits.get(vendor, {}))  # type: ignore[arg-type]


def load(path: str | Path) -> Settings:
    """Read and check a settings file. Raises Misconfigured, naming the file and the setting."""
    try:
        with open(path, "rb") as file:
            told = tomllib.load(file)
    except FileNotFoundError:
        raise Misconfigured(f"there is no settings file {path}; set PIPELINE_SETTINGS") from None
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read ({type(error).__name__})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path}: {error}") from None
    try:
        return parse(told)
    except Misconfigured as error:
        raise Misconfigured(f"{path}: {error}") from None


def parse(told: Mapping[str, Any]) -> Settings:
    """Settings from a parsed file. Unknown names are errors: a typo must not be a default."""
    unknown = set(told) - {section.name for section in fields(Settings)}
    if unknown:
        raise Misconfigured(f"unknown section {sorted(unknown)[0]!r}")
    given = {name: _section(name, section) for name, section in told.items()}
    extract = dict(given.get("extract", {}))
    if "start" in extract:
        extract["start"] = _start(extract["start"])
    kits = tuple(_kit(name, kit) for name, kit in given.get("kits", {}).items())
    for kit in kits:
        if not kit.name.isidentifier() or kit.name != kit.name.lower():
            raise Misconfigured(
                f"kits.{kit.name}: a kit's name becomes a table; use lower case and underscores"
            )
    return Settings(
        extract=_made(ExtractSettings, "extract", extract),
        score=_made(ScoreSettings, "score", given.get("score", {})),
        history=_made(HistorySettings, "history", given.get("history", {})),
        kits=kits,
        timing={vendor: _timing(vendor, part) for vendor, part in given.get("timing", {}).items()},
        limits={vendor: _limits(vendor, part) for vendor, part in given.get("limits", {}).items()},
        notify=_notify(given.get("notify", {})),
        privacy=_privacy(given.get("privacy", {})),
    )


def _section(name: str, given: Any) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise Misconfigured(f"{name} is a section of settings, not one of them")
    return given


def _kit(name: str, told: Any) -> Kit:
    section = f"kits.{name}"
    given = _section(section, told)
    if "name" in given:
        raise Misconfigured(f"{section}.name is not a setting: the section's own name is the kit's")
    for text in ("code", "version_id"):
        if text in given and not (isinstance(given[text], str) and given[text]):
            raise Misconfigured(f'{section}.{text} is text, such as "A1B2C3D4"')
    vendors = given.get("vendors", ["*"])
    if not (isinstance(vendors, list) and all(isinstance(v, str) for v in vendors)):
        raise Misconfigured(
            f'{section}.vendors is a list of names, such as ["gong"], or ["*"]; [] is a kit that '
            "only a rescore or a backfill runs, when it names it"
        )
    for vendor in set(vendors) - {"*"}:
        _known(vendor, f"{section}.vendors")
    return _made(Kit, section, {"name": name, **given, "vendors": tuple(vendors)})


def _made(kind: type[T], section: str, given: Mapping[str, Any]) -> T:
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    for name, value in given.items():
        if name not in known:
            raise Misconfigured(f"{section}.{name} is not a setting; there are {', '.join(known)}")
        kind_of = str(known[name].type)
        if "float" in kind_of and not (_is_number(value) and value > 0):
            raise Misconfigured(f"{section}.{name} must be a number above zero")
        if kind_of.startswith("int") and not (_is_number(value) and value > 0 and value % 1 == 0):
            raise Misconfigured(f"{section}.{name} must be a whole number above zero")
        if name.endswith("_share") and value >= 1:
            raise Misconfigured(f"{section}.{name} is a share: more than 0 and less than 1")
        if kind_of == "str" and not isinstance(value, str):
            raise Misconfigured(f"{section}.{name} is text")
    if kind is ScoreSettings and given.get("mode", "async") not in ("async", "sync"):
        raise Misconfigured(f"{section}.mode is async or sync")
    try:
        return kind(**given)
    except TypeError as error:
        raise Misconfigured(f"{section}: {error}") from None


def _notify(given: Mapping[str, Any]) -> NotifySettings:
    told = dict(given)
    if "email_to" in told:
        told["email_to"] = _several("notify.email_to", told["email_to"], None)
        for address in told["email_to"]:
            if "@" not in address or any(letter.isspace() or letter in ",;" for letter in address):
                raise Misconfigured('notify.email_to are addresses, such as ["ops@example.com"]')
    return _made(NotifySettings, "notify", told)


def _privacy(given: Mapping[str, Any]) -> PrivacySettings:
    usual = {k: v for k, v in given.items() if k not in ("vendors", "retention_days")}
    vendors: dict[str, Policy] = {}
    for vendor, other in _section("privacy.vendors", given.get("vendors", {})).items():
        section = f"privacy.vendors.{vendor}"
        _known(vendor, section)
        vendors[vendor] = _policy(section, {**usual, **_section(section, other)})
    kept = _section("privacy.retention_days", given.get("retention_days", {}))
    return PrivacySettings(
        policy=_policy("privacy", usual),
        vendors=vendors,
        retention_days=_made(Retention, "privacy.retention_days", kept),
    )


def _policy(section: str, given: Mapping[str, Any]) -> Policy:
    told = dict(given)
    for name, known in (("kinds", KINDS), ("national_ids", NATIONAL_IDS), ("phone_regions", None)):
        if name in told:
            told[name] = _several(f"{section}.{name}", told[name], known)
    for region in told.get("phone_regions", ()):
        if not (len(region) == 2 and region.isascii() and region.isalpha() and region.isupper()):
            raise Misconfigured(f'{section}.phone_regions are countries, such as ["US", "DE"]')
    if told.get("redact", "off") not in PLACES:
        raise Misconfigured(f"{section}.redact is one of {', '.join(PLACES)}")
    if not isinstance(told.get("keep_owner", True), bool):
        raise Misconfigured(f"{section}.keep_owner is true or false")
    return _made(Policy, section, told)


def _several(setting: str, value: Any, known: Sequence[str] | None) -> tuple[str, ...]:
    if not (isinstance(value, list) and all(isinstance(each, str) for each in value)):
        raise Misconfigured(f"{setting} is a list of texts")
    for each in value:
        if known is not None and each not in known:
            raise Misconfigured(f"{setting}: there is no {each!r}; there are {', '.join(known)}")
    return tuple(value)


def _known(vendor: str, setting: str) -> None:
    if vendor not in vendor_names():
        raise Misconfigured(
            f"{setting}: there is no vendor {vendor!r}; there are {', '.join(vendor_names())}"
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _start(value: Any) -> datetime | timedelta:
    """A date and time, or a number of days back such as ``"30 days"``."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, str) and value.endswith(" days"):
        try:
            back = timedelta(days=float(value.removesuffix(" days")))
        except (ValueError, OverflowError):
            back = timedelta(days=-1)
        if back >= timedelta(0):
            return back
    raise Misconfigured('extract.start is a date and time, or text such as "30 days"')


def _timing(vendor: str, given: Mapping[str, Any]) -> dict[str, timedelta]:
    units = {"minutes": 60.0, "hours": 3600.0, "days": 86400.0, "seconds": 1.0}
    names = {"lag", "lookback", "first_retry", "longest_retry", "expiry"}
    _known(vendor, f"timing.{vendor}")
    made: dict[str, timedelta] = {}
    for name, value in _section(f"timing.{vendor}", given).items():
        what, _, unit = name.rpartition("_")
        if what not in names or unit not in units or not _is_number(value) or value < 0:
            raise Misconfigured(
                f"timing.{vendor}.{name} is not a setting; use one of {sorted(names)} with a unit, "
                "such as lookback_hours = 48"
            )
        made[what] = timedelta(seconds=value * units[unit])
    return made


# Of a vendor's limits, those that a contract may change; the others are how its API counts.
SPEEDS = ("requests_per_second", "records_per_second")
CAPS = ("per_minute", "per_day", "per_week")


def _limits(vendor: str, given: Any) -> dict[str, float]:
    _known(vendor, f"limits.{vendor}")
    made: dict[str, float] = {}
    for name, value in _section(f"limits.{vendor}", given).items():
        setting = f"limits.{vendor}.{name}"
        if name not in (*SPEEDS, *CAPS):
            raise Misconfigured(
                f"{setting} is not a setting; there are {', '.join((*SPEEDS, *CAPS))}"
            )
        if not (_is_number(value) and value > 0):
            raise Misconfigured(f"{setting} must be a number above zero")
        if name in CAPS and value % 1 != 0:
            raise Misconfigured(f"{setting} must be a whole number above zero")
        made[name] = int(value) if name in CAPS else float(value)
    return made
