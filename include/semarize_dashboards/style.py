"""How everything looks: one palette, told apart by the colour-blind, the same on every page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from semarize_pipeline import vendors

# After Okabe and Ito: told apart with each kind of colour-blindness, and in print.
PALETTE = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#8C6D1F", "#5B5B5B",
)  # fmt: skip
PRIMARY, GOOD, BAD, QUIET = "#0072B2", "#009E73", "#D55E00", "#8A94A3"
HIGHLIGHT = "#FFF1C2"
NONE = "\N{EN DASH}"
_NAMES = {
    "gong": "Gong",
    "salesloft": "Salesloft",
    "clari_copilot": "Clari Copilot",
    "callminer": "CallMiner",
    "chorus": "Chorus",
}
CHANNELS = ("voice", "video", "chat", "email")
# What became of a claim that was held against a document.
OUTCOMES = {
    "accurate": "#009E73",
    "imprecise": "#E69F00",
    "outdated": "#CC79A7",
    "inaccurate": "#D55E00",
}
# What Streamlit is started with: `theme.` options.
THEME: dict[str, str | int | bool] = {
    "base": "light",
    "primaryColor": PRIMARY,
    "backgroundColor": "#FFFFFF",
    "secondaryBackgroundColor": "#F5F7FA",
    "textColor": "#1B2733",
    "borderColor": "#DDE3EA",
    "linkColor": PRIMARY,
    "baseRadius": "0.4rem",
    "baseFontSize": 15,
    "showWidgetBorder": True,
}


def vendor_name(vendor: str) -> str:
    """A vendor as it writes itself."""
    return _NAMES.get(vendor, vendor.replace("_", " ").title())


def label(name: str) -> str:
    """A name of ours for people: ``empathy_score`` becomes "Empathy score"."""
    return name.replace("_", " ").strip().capitalize()


def colours(kind: str, values: Iterable[str]) -> dict[str, str]:
    """Value → colour. A vendor, channel or outcome has one on every page, whoever else is shown."""
    if kind == "outcome":
        return OUTCOMES
    known = {
        "vendor": [vendor_name(v) for v in sorted(vendors.names())],
        "channel": list(CHANNELS),
    }
    fixed = known.get(kind, [])
    order = [*fixed, *sorted(v for v in set(values) if v not in fixed)]
    return {value: PALETTE[i % len(PALETTE)] for i, value in enumerate(order)}


def number(value: float | int | None, decimals: int = 0) -> str:
    """A number with thousands apart; a dash for none."""
    if value is None or value != value:
        return NONE
    # As browsers round, who show the same figures in tables: halves go up.
    step = Decimal(1).scaleb(-decimals)
    return f"{Decimal(str(value)).quantize(step, ROUND_HALF_UP):,.{decimals}f}"


def percent(share: float | None, decimals: int = 0) -> str:
    """A share from 0 to 1 in per cent; a dash for none."""
    return NONE if share is None or share != share else f"{number(share * 100, decimals)} %"


def day(value: date) -> str:
    """A day for people."""
    return f"{value.day} {value:%b %Y}"


def period(first: date, last: date) -> str:
    """A span of days, both included."""
    return day(first) if first == last else f"{day(first)} to {day(last)}"


def moment(value: datetime | None) -> str:
    """A moment in UTC; a dash for none."""
    return NONE if value is None or value != value else f"{value:%d %b %Y %H:%M} UTC"
