"""The pipeline's settings: one TOML file, checked when it is read.

``include/pipeline.toml`` documents every setting and holds the defaults; the environment
variable PIPELINE_SETTINGS names another file (the DAGs read it when they run, never when
they are parsed).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar

from semarize_pipeline.errors import Misconfigured
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
    pending_per_run: int = 500

    def begin(self, now: datetime) -> datetime:
        """Where a first run begins."""
        return now - self.start if isinstance(self.start, timedelta) else self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreSettings:
    """How transcripts are evaluated, and what that may cost.

    ``max_runs_per_day`` caps the paid runs of all vendors together. A transcript longer than
    ``max_transcript_characters`` is refused with that reason, never cut.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that a deployment decides."""

    extract: ExtractSettings = field(default_factory=ExtractSettings)
    score: ScoreSettings = field(default_factory=ScoreSettings)
    kits: tuple[Kit, ...] = ()
    timing: Mapping[str, Mapping[str, timedelta]] = field(default_factory=dict)

    def kits_for(self, vendor: str) -> tuple[Kit, ...]:
        return tuple(kit for kit in self.kits if kit.covers(vendor))

    def timing_for(self, vendor: str, usual: Timing) -> Timing:
        return usual.but(**self.timing.get(vendor, {}))


def load(path: str | Path) -> Settings:
    """Read and check a settings file. Raises Misconfigured, naming the file and the setting."""
    try:
        with open(path, "rb") as file:
            told = tomllib.load(file)
    except FileNotFoundError:
        raise Misconfigured(f"there is no settings file {path}; set PIPELINE_SETTINGS") from None
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"{path}: {error}") from None
    try:
        return parse(told)
    except Misconfigured as error:
        raise Misconfigured(f"{path}: {error}") from None


def parse(told: Mapping[str, Any]) -> Settings:
    """Settings from a parsed file. Unknown names are errors: a typo must not be a default."""
    unknown = set(told) - {"extract", "score", "kits", "timing"}
    if unknown:
        raise Misconfigured(f"unknown section {sorted(unknown)[0]!r}")
    extract = dict(told.get("extract", {}))
    if "start" in extract:
        extract["start"] = _start(extract["start"])
    kits = tuple(
        _made(Kit, f"kits.{name}", {"name": name, **kit, "vendors": tuple(kit.get("vendors", "*"))})
        for name, kit in told.get("kits", {}).items()
    )
    for kit in kits:
        if not kit.name.isidentifier() or kit.name != kit.name.lower():
            raise Misconfigured(
                f"kits.{kit.name}: a kit's name becomes a table; use lower case and underscores"
            )
    return Settings(
        extract=_made(ExtractSettings, "extract", extract),
        score=_made(ScoreSettings, "score", told.get("score", {})),
        kits=kits,
        timing={vendor: _timing(vendor, given) for vendor, given in told.get("timing", {}).items()},
    )


def _made(kind: type[T], section: str, given: Mapping[str, Any]) -> T:
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    for name, value in given.items():
        if name not in known:
            raise Misconfigured(f"{section}.{name} is not a setting; there are {', '.join(known)}")
        number = "float" in str(known[name].type) or "int" in str(known[name].type)
        if number and (isinstance(value, bool) or not isinstance(value, int | float) or value <= 0):
            raise Misconfigured(f"{section}.{name} must be a number above zero")
    if kind is ScoreSettings and given.get("mode", "async") not in ("async", "sync"):
        raise Misconfigured(f"{section}.mode is async or sync")
    try:
        return kind(**given)
    except TypeError as error:
        raise Misconfigured(f"{section}: {error}") from None


def _start(value: Any) -> datetime | timedelta:
    """A date and time, or a number of days back such as ``"30 days"``."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, str) and value.endswith(" days"):
        try:
            return timedelta(days=float(value.removesuffix(" days")))
        except ValueError:
            pass
    raise Misconfigured('extract.start is a date and time, or text such as "30 days"')


def _timing(vendor: str, given: Mapping[str, Any]) -> dict[str, timedelta]:
    units = {"minutes": 60.0, "hours": 3600.0, "days": 86400.0, "seconds": 1.0}
    names = {"lag", "lookback", "first_retry", "longest_retry", "expiry"}
    made: dict[str, timedelta] = {}
    for name, value in given.items():
        what, _, unit = name.rpartition("_")
        if what not in names or unit not in units or not isinstance(value, int | float):
            raise Misconfigured(
                f"timing.{vendor}.{name} is not a setting; use one of {sorted(names)} with a unit, "
                "such as lookback_hours = 48"
            )
        made[what] = timedelta(seconds=value * units[unit])
    return made
