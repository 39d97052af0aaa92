"""What a person may order, read from a form: the one place where its values are checked.

Every refusal begins with the field's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from semarize_pipeline import vendors
from semarize_pipeline.campaigns import NO_CAPS, Caps, runs_for
from semarize_pipeline.errors import Misconfigured
from semarize_pipeline.model import Window
from semarize_pipeline.settings import Kit, Settings

Replayed = Literal["quarantined", "failed"]
MOST_IDS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What all forms have: whose conversations, which kits, caps, and whether only to plan.

    ``campaign`` names it: the same name goes on where an earlier run of it stopped.
    """

    campaign: str
    vendors: tuple[str, ...]
    kits: tuple[Kit, ...] = ()
    caps: Caps = NO_CAPS
    dry_run: bool = False
    window: Window | None = None
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillOrder(Order):
    """A stretch of the past, read from the vendors. It always has a window."""

    newest_first: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOrder(Order):
    """What went wrong before, once more: records that could not be read, runs that failed."""

    what: frozenset[Replayed] = frozenset()
    reason: str = ""


def rescore(form: Mapping[str, Any], settings: Settings, *, run: str, now: datetime) -> Order:
    """A rescore: ``kits`` over landed conversations, by time or by id."""
    given = _known(
        form, "vendor", "from", "to", "ids", "kits", "max_runs", "max_cost", "campaign", "dry_run"
    )
    ids = _texts(given, "ids")
    if len(ids) > MOST_IDS:
        raise Misconfigured(f"ids: {len(ids)} are more than {MOST_IDS}; give from and to")
    window = _window(given, now, needed=not ids)
    kits = _kits(given, settings)
    if not kits:
        raise Misconfigured(f"kits: name at least one; there are {_names(settings)}")
    return Order(
        **_common(given, settings, run),
        kits=kits,
        caps=_caps(given, settings),
        window=window,
        ids=ids,
    )


def backfill(
    form: Mapping[str, Any], settings: Settings, *, run: str, now: datetime
) -> BackfillOrder:
    """A backfill: what the vendors had from one day to another, scored by ``kits`` or not."""
    given = _known(
        form,
        *("vendor", "from", "to", "kits", "order", "max_calls", "max_runs", "max_cost"),
        *("campaign", "dry_run"),
    )
    order = given.get("order", "newest first")
    if order not in ("newest first", "oldest first"):
        raise Misconfigured("order: is newest first or oldest first")
    return BackfillOrder(
        **_common(given, settings, run),
        kits=_kits(given, settings),
        caps=replace(_caps(given, settings), calls=_count(given, "max_calls")),
        window=_window(given, now, needed=True),
        newest_first=order == "newest first",
    )


def replay(form: Mapping[str, Any], settings: Settings, *, run: str, now: datetime) -> ReplayOrder:
    """A replay: quarantined records, failed runs, or both; ``reason`` chooses among them."""
    given = _known(
        form,
        *("vendor", "from", "to", "what", "reason", "max_runs", "max_cost", "campaign", "dry_run"),
    )
    what = given.get("what", "both")
    chosen: dict[Any, frozenset[Replayed]] = {
        "quarantined": frozenset({"quarantined"}),
        "failed": frozenset({"failed"}),
        "both": frozenset({"quarantined", "failed"}),
    }
    if not isinstance(what, str) or what not in chosen:
        raise Misconfigured(f"what: is one of {', '.join(chosen)}")
    reason = given.get("reason") or ""
    if not isinstance(reason, str):
        raise Misconfigured("reason: is text that the reason contains, or empty for all")
    return ReplayOrder(
        **_common(given, settings, run),
        caps=_caps(given, settings),
        window=_window(given, now, needed=False),
        what=chosen[what],
        reason=reason,
    )


# ---------------------------------------------------------------------- one field each


def _known(form: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """The form, without a field that nobody knows. Empty fields are left out."""
    for name in form:
        if name not in names:
            raise Misconfigured(f"{name}: is not a field of this form; it has {', '.join(names)}")
    return {name: value for name, value in form.items() if value not in (None, "")}


def _common(given: Mapping[str, Any], settings: Settings, run: str) -> dict[str, Any]:
    campaign = given.get("campaign", run)
    if not isinstance(campaign, str) or len(campaign) > 250:
        raise Misconfigured("campaign: is a name of at most 250 characters, or empty")
    dry_run = given.get("dry_run", False)
    if not isinstance(dry_run, bool):
        raise Misconfigured("dry_run: is true or false")
    return {"campaign": campaign, "vendors": _vendors(given), "dry_run": dry_run}


def _vendors(given: Mapping[str, Any]) -> tuple[str, ...]:
    named = given.get("vendor", "all")
    if named == "all":
        return vendors.names()
    if named not in vendors.names():
        raise Misconfigured(
            f"vendor: there is none named {named!r}; there are all, {', '.join(vendors.names())}"
        )
    return (named,)


def _window(given: Mapping[str, Any], now: datetime, *, needed: bool) -> Window | None:
    """Whole days of UTC, both included; without an end, up to now."""
    if "from" not in given:
        if needed or "to" in given:
            raise Misconfigured("from: name the first day, such as 2026-01-31")
        return None
    start = _day(given, "from")
    end = min(now, _day(given, "to") + timedelta(days=1)) if "to" in given else now
    if start >= now:
        raise Misconfigured(f"from: {start:%Y-%m-%d} has not begun")
    if end <= start:
        raise Misconfigured(f"to: {given['to']} is before from ({start:%Y-%m-%d})")
    return Window(start, end)


def _day(given: Mapping[str, Any], field: str) -> datetime:
    value = given[field]
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        raise Misconfigured(f"{field}: {value!r} is not a day such as 2026-01-31") from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _texts(given: Mapping[str, Any], field: str) -> tuple[str, ...]:
    """A list of texts, each once; one text with commas or line breaks is a list too."""
    value = given.get(field, [])
    if isinstance(value, str):
        value = value.replace("\n", ",").split(",")
    if not isinstance(value, Sequence) or not all(isinstance(each, str) for each in value):
        raise Misconfigured(f"{field}: is a list of texts")
    return tuple(dict.fromkeys(each.strip() for each in value if each.strip()))


def _kits(given: Mapping[str, Any], settings: Settings) -> tuple[Kit, ...]:
    """Kits of the settings file by name; ``name@version`` is that version of it."""
    known = {kit.name: kit for kit in settings.kits}
    made = []
    for told in _texts(given, "kits"):
        name, at, version = told.partition("@")
        if name not in known:
            raise Misconfigured(
                f"kits: there is no kit {name!r} in the settings file; there are {_names(settings)}"
            )
        if at and not version:
            raise Misconfigured(f"kits: {told!r} names no version after the @")
        made.append(replace(known[name], version_id=version) if at else known[name])
    return tuple(made)


def _names(settings: Settings) -> str:
    return ", ".join(kit.name for kit in settings.kits) or "none"


def _caps(given: Mapping[str, Any], settings: Settings) -> Caps:
    cost = given.get("max_cost")
    if cost is not None and (
        isinstance(cost, bool) or not isinstance(cost, int | float) or not 0 <= cost < 1e12
    ):
        raise Misconfigured("max_cost: is an amount of 0 or more, or empty for no cap")
    return Caps(runs=runs_for(cost, _count(given, "max_runs"), settings))


def _count(given: Mapping[str, Any], field: str) -> int | None:
    value = given.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Misconfigured(f"{field}: is a whole number of 0 or more, or empty for no cap")
    return value
