"""What Northwind Signal has in writing, and who was taught it when.

Documents get a new version every quarter, for ever: what changes in them is a figure that tells
its version, so that a sentence quoted from an old one can be recognised without knowing when it
was said. Teams are taught the playbook every six weeks, reps are trained every eight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

from semarize_sandbox.wire import fingerprint

# A Monday, so that whole weeks and one day later is a Tuesday.
FIRST_MONDAY = date(2024, 1, 1)

PRODUCT_DOCS = "Product Docs"
PLAYBOOK = "Sales Playbook"
RATE_CARD = "Rate Card"
FRAMEWORK_GUIDE = "SPICED Playbook"
DOCUMENTS = (PRODUCT_DOCS, PLAYBOOK, RATE_CARD)
FIRST_YEAR, FIRST_QUARTER = 2025, 3
NEW_ON_DAY = 12
MOST_VERSIONS = 20
ADOPTION_DAYS = 42


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a document, in force from a day on until the next one is."""

    document: str
    number: int
    name: str
    valid_from: date


@lru_cache(maxsize=256)
def version(document: str, number: int) -> Version:
    """A document's version of that number; they follow one another by quarters."""
    quarters = FIRST_YEAR * 4 + FIRST_QUARTER - 1 + number
    year, quarter = divmod(quarters, 4)
    names = {
        PRODUCT_DOCS: f"v4.{number}",
        PLAYBOOK: f"v{year}.{quarter + 1}",
        RATE_CARD: f"{year}-Q{quarter + 1}",
    }
    return Version(document, number, names[document], date(year, quarter * 3 + 1, NEW_ON_DAY))


@lru_cache(maxsize=8192)
def number_on(day: date) -> int:
    """The number of the version in force on that day; the first one also before it."""
    quarters = (day.year - FIRST_YEAR) * 4 + (day.month - 1) // 3 - (FIRST_QUARTER - 1)
    if day < version(PRODUCT_DOCS, quarters).valid_from:
        quarters -= 1
    return max(0, quarters)


def known_number(name: str, hired_on: date, day: date, haste: float) -> int:
    """The version that somebody goes by on that day: a new one takes them about six weeks.

    ``haste`` is 0 to 1: how soon they take it up, compared with their own habit.
    """
    number = number_on(day)
    if number == 0 or version(PRODUCT_DOCS, number).valid_from <= hired_on:
        return number
    habit = ADOPTION_DAYS * (0.6 + 0.8 * (fingerprint("adoption", name) % 100) / 100)
    since = (day - version(PRODUCT_DOCS, number).valid_from).days
    return number if since >= habit * (1.4 - 0.8 * haste) else number - 1


# What changes with the version

API_LIMIT = 500
API_LIMIT_STEP = 50
PROOF_PERCENT = 20
SITES = 10
COMPARED_POINTS = 12
TIER_PRICES: Mapping[str, int] = {"Essentials": 18, "Pro": 32, "Enterprise": 55}
"""Dollars a seat and month in version 0; each version is a dollar dearer."""
RETIRED_PACKAGES = ("Starter bundle", "Signal Suite package", "Launch package")


def api_limit(number: int) -> int:
    """Requests a minute on Pro; Enterprise has four times as many."""
    return API_LIMIT + API_LIMIT_STEP * number


def tier_price(tier: str, number: int) -> int:
    return TIER_PRICES[tier] + number


def limit_version(limit: int) -> int | None:
    """The version of the product documents that gives this limit, None where none does."""
    number, rest = divmod(limit - API_LIMIT, API_LIMIT_STEP)
    return number if rest == 0 and 0 <= number <= MOST_VERSIONS else None


def version_of(figure: int, first: int) -> int | None:
    """The version in which a figure that began at ``first`` and grows by one stands."""
    number = figure - first
    return number if 0 <= number <= MOST_VERSIONS else None


# Who may grant which discount


@dataclass(frozen=True, slots=True)
class Authority:
    """The highest discount in percent that a role may grant, for one year or for two."""

    role: str
    one_year_percent: int
    two_years_percent: int


AUTHORITIES = (
    Authority("Account Executive", 10, 25),
    Authority("Sales Manager", 20, 35),
    Authority("VP Sales", 35, 45),
)

# What may be said of competitors

ClaimVerdict = Literal["accurate", "outdated"]


@dataclass(frozen=True, slots=True)
class RivalClaim:
    """What reps say of a competitor; ``mark`` is the phrase by which it is known.

    ``version`` is the battlecard's version since which the verdict stands.
    """

    key: str
    mark: str
    line: str
    verdict: ClaimVerdict
    version: str


def _claims(*told: tuple[str, str, str, ClaimVerdict, str]) -> tuple[RivalClaim, ...]:
    return tuple(RivalClaim(*each) for each in told)


BATTLECARDS: Mapping[str, tuple[RivalClaim, ...]] = {
    "Brightpath": _claims(
        ("no_offline_mode", "stops without a signal",
         "The {competitor} app stops without a signal, ask your {staff}.", "accurate", "v6"),
        ("per_site_fee", "charges a fee per site",
         "{competitor} charges a fee per site, so {places_count} {places} add up.",
         "accurate", "v5"),
        ("no_audit_log", "has no audit log",
         "As far as I know {competitor} has no audit log for {role}.", "outdated", "v7"),
    ),
    "Meridian IQ": _claims(
        ("batch_only", "only updates overnight",
         "{competitor} only updates overnight, so {process} runs a day behind.",
         "accurate", "v4"),
        ("long_rollout", "takes two quarters to roll out",
         "With {places_count} {places}, {competitor} takes two quarters to roll out.",
         "accurate", "v4"),
    ),
    "Talkgrid": _claims(
        ("no_soc2", "don't support soc 2",
         "{competitor}? They don't support SOC 2, which {role} will ask about.",
         "outdated", "v9"),
        ("no_europe", "has no data centre in europe",
         "{competitor} has no data centre in Europe, so mind your {places}.",
         "outdated", "v8"),
        ("weak_alerts", "cannot escalate an alert",
         "{competitor} cannot escalate an alert to a second person, your {staff} would notice.",
         "accurate", "v7"),
    ),
    "Cobalt Ops": _claims(
        ("own_hardware", "needs its own hardware",
         "{competitor} needs its own hardware in all {places_count} {places}.",
         "accurate", "v3"),
        ("one_language", "speaks only english",
         "The {competitor} console speaks only English, which your {staff} may mind.",
         "outdated", "v4"),
    ),
    "Fathomline": _claims(
        ("no_phone_support", "offers no phone support",
         "{competitor} offers no phone support, so at {time} you'd write a mail.",
         "accurate", "v2"),
    ),
    "Quillstack": _claims(
        ("row_limit", "stops at ten thousand rows",
         "{competitor} stops at ten thousand rows, and you have {volume} {things} a day.",
         "accurate", "v3"),
        ("no_sso", "lacks single sign-on",
         "{competitor} lacks single sign-on, {role} would have to live with that.",
         "outdated", "v4"),
    ),
}  # fmt: skip
BATTLECARD_UPDATES: Mapping[str, tuple[tuple[str, date], ...]] = {
    # competitor: its versions and when each was updated
    "Brightpath": (("v5", date(2025, 5, 6)), ("v6", date(2025, 8, 19)), ("v7", date(2025, 11, 4))),
    "Meridian IQ": (("v4", date(2025, 9, 2)),),
    "Talkgrid": (("v7", date(2025, 3, 11)), ("v8", date(2025, 10, 7)), ("v9", date(2025, 12, 9))),
    "Cobalt Ops": (("v3", date(2025, 4, 22)), ("v4", date(2025, 12, 2))),
    "Fathomline": (("v2", date(2025, 7, 15)),),
    "Quillstack": (("v3", date(2025, 6, 3)), ("v4", date(2025, 10, 21))),
}

# What the law and the house want of a service conversation

FRAMEWORK_VERSION = "TCPA-v2026.1"
ALL_PARTY_STATES = ("California", "Washington", "Pennsylvania", "Massachusetts", "Illinois",
                    "Florida")  # fmt: skip
STATES: Mapping[str, tuple[str, ...]] = {
    "Northeast": ("Massachusetts", "New York", "Pennsylvania", "Vermont"),
    "Southeast": ("Florida", "Georgia", "Tennessee"),
    "West": ("California", "Washington", "Oregon"),
    "Central": ("Illinois", "Ohio", "Texas", "Minnesota"),
}
COMPLIANCE_RULES = ("disclosure_sequence", "state_consent", "prohibited_phrases", "mini_miranda")
DEFAULT_RULES = ("disclosure_sequence", "prohibited_phrases")
"""What the vendor's own, default framework checks; the house's checks all four."""
CUSTOM_FRAMEWORK = "Northwind Care"
DEFAULT_FRAMEWORK = "Vendor Default"

# How sales is to be done

SPICED_FRAMEWORK = "internal_spiced_v3"
SPICED_STEPS: Mapping[str, str] = {
    "situation": "Situation identified",
    "pain": "Pain articulated",
    "impact": "Impact quantified",
    "critical_event": "Critical event established",
    "decision_process": "Decision process mapped",
    "budget_qual": "Economic buyer and budget confirmed",
}
MEDDICC_FRAMEWORK = "meddicc_v2"
MEDDICC_ELEMENTS: Mapping[str, str] = {
    "metrics": "Metrics",
    "economic_buyer": "Economic Buyer",
    "decision_criteria": "Decision Criteria",
    "decision_process": "Decision Process",
    "identify_pain": "Identify Pain",
    "champion": "Champion",
}
PLAYBOOK_ELEMENTS = ("value_prop", "positioning", "competitive_response")
DECAY: Mapping[str, float] = {"value_prop": 0.75, "positioning": 0.45, "competitive_response": 1.0}
"""How fast each of the playbook's elements is forgotten, compared with the fastest."""

# Who was taught when

ENABLEMENT_DAYS = 42
TRAINING_DAYS = 56
REGRESSING = ("Jake Rowntree", "James Aldous")
"""Reps who, three weeks after each training, fall back into old ways for two weeks."""
SLUMP_DAYS = range(20, 35)


def last_enablement(team_number: int, day: date) -> date:
    """When the team was last taught the playbook: a Tuesday, every six weeks."""
    first = FIRST_MONDAY + timedelta(days=1 + 7 * team_number)
    return first + timedelta(days=(day - first).days // ENABLEMENT_DAYS * ENABLEMENT_DAYS)


def last_training(name: str, day: date) -> date:
    """When the rep was last trained in handling objections: a Wednesday, every eight weeks."""
    first = FIRST_MONDAY + timedelta(days=2 + 7 * (fingerprint("training", name) % 8))
    return first + timedelta(days=(day - first).days // TRAINING_DAYS * TRAINING_DAYS)


def in_slump(name: str, day: date) -> bool:
    return name in REGRESSING and (day - last_training(name, day)).days in SLUMP_DAYS


def learns_quickly(name: str, hired_on: date) -> bool:
    """Whether a newcomer is on track by week six, or needs help."""
    return fingerprint("learner", name, hired_on.isoformat()) % 2 == 0
