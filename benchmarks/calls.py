"""The made-up conversations that all contenders read: seeded, of the size of real ones.

A conversation has 39 utterances and about 10 KB of text. The words are drawn from a vocabulary
of clauses, so that hardly two utterances are the same and no column compresses better than
real speech would.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

UTTERANCES = 39
CLAUSES_PER_UTTERANCE = 3
BEGAN = datetime(2026, 3, 2, tzinfo=UTC)
MOST_DAYS, LEAST_A_DAY = 25, 100
NEW = 100
"""Conversations beyond those of a first run, for the run with something new."""

# fmt: off
_NOUNS = (
    "account", "invoice", "renewal", "forecast", "dashboard", "shipment", "ticket", "contract",
    "pilot", "budget", "integration", "report", "region", "quarter", "rollout", "warehouse",
    "dispatcher", "claim", "policy", "booking", "module", "login", "export", "schedule",
    "threshold", "template", "workflow", "metric", "escalation", "survey", "permission",
    "backlog",
)
_VERBS = (
    "review", "move", "confirm", "postpone", "compare", "export", "rebuild", "escalate",
    "approve", "migrate", "schedule", "reduce", "document", "archive", "measure", "replace",
    "sign", "cancel", "extend", "clarify", "summarise", "estimate",
)
_ADJECTIVES = (
    "late", "early", "open", "quarterly", "regional", "manual", "shared", "weekly", "urgent",
    "missing", "stable", "second", "internal", "legal", "technical", "final", "simple",
    "expensive", "useful", "blocked", "reliable",
)
# fmt: on
_LINKS = ("because", "so", "and then", "although", "before", "unless", "while", "after", "since")
_PEOPLE = ("we", "they", "our team", "your team", "finance", "the vendor", "legal", "the customer")
_NAMES = ("Dana Reyes", "Sam Lindqvist", "Priya Nair", "Tom Okafor", "Lena Vogt", "Marco Silva")
_BUYERS = ("Kim Osei", "Ruth Adler", "Ivan Petrov", "Noor Haddad", "Jo Tanaka", "Ana Duarte")
_COMPANIES = ("Acme", "Borealis", "Cindermoor", "Dunmere", "Eastvale", "Fennick", "Glassford")


@dataclass(frozen=True, slots=True)
class Said:
    """One utterance; offsets in whole milliseconds from the start."""

    by_rep: bool
    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """One conversation, before it takes a vendor's shape."""

    number: int
    started_at: datetime
    rep: str
    buyer: str
    company: str
    said: tuple[Said, ...]


def _clauses(dice: random.Random, count: int = 20_000) -> list[str]:
    return [
        f"{dice.choice(_PEOPLE)} {dice.choice(_VERBS)} the {dice.choice(_ADJECTIVES)} "
        f"{dice.choice(_NOUNS)} {dice.choice(_LINKS)} the {dice.choice(_NOUNS)} "
        f"is {dice.choice(_ADJECTIVES)} in {dice.randrange(2, 99)} "
        f"{dice.choice(_NOUNS)}s"
        for _ in range(count)
    ]


def calls(count: int, seed: int = 7) -> Iterator[Call]:
    """``count`` conversations spread evenly over up to 25 days, and ``NEW`` more after them."""
    dice = random.Random(seed)
    clauses = _clauses(dice)
    days = min(MOST_DAYS, -(-count // LEAST_A_DAY))
    apart = timedelta(days=days) / max(count, 1)
    for number in range(count + NEW):
        drawn = dice.choices(clauses, k=UTTERANCES * CLAUSES_PER_UTTERANCE)
        at, said = dice.randrange(200, 4_000), []
        for turn in range(UTTERANCES):
            first = turn * CLAUSES_PER_UTTERANCE
            text = ", ".join(drawn[first : first + CLAUSES_PER_UTTERANCE])
            lasts = len(text) * 60 + dice.randrange(400)
            said.append(Said(turn % 2 == 0, at, at + lasts, text[0].upper() + text[1:] + "."))
            at += lasts + dice.randrange(100, 1_500)
        # Whole seconds: every contender can add them up without a rounding of its own.
        started_at = (BEGAN + number * apart).replace(microsecond=0)
        yield Call(
            number,
            started_at,
            dice.choice(_NAMES),
            dice.choice(_BUYERS),
            dice.choice(_COMPANIES),
            tuple(said),
        )
