"""What a person orders by hand has in common: a name, caps, a plan, and progress that stays.

A campaign is named once and known by that name from then on. Whatever stops it, the same name
goes on where it stopped: caps are counted under it, and slices are marked under it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from semarize_pipeline.errors import Misconfigured
from semarize_pipeline.scoring import Granted
from semarize_pipeline.semarize.client import SemarizeClient
from semarize_pipeline.settings import Kit, Settings
from semarize_pipeline.state import State
from semarize_pipeline.state.budgets import RUNS, Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """What a campaign may do at most; None is no cap of its own."""

    calls: int | None = None
    runs: int | None = None


NO_CAPS = Caps()


@dataclass(slots=True, kw_only=True)
class Plan:
    """What a campaign would do to one vendor, before it does it. Counts only.

    ``exact`` is False where the count of calls was projected from some of the slices. ``days``
    is the time at the limits of the vendor and of Semarize, with the live runs' share left out.
    """

    vendor: str
    calls: int
    requests: int
    runs: int
    days: float
    cost: float | None
    currency: str = ""
    exact: bool = True

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        cost = "" if self.cost is None else f", {self.cost:,.2f} {self.currency}".rstrip()
        return (
            f"{self.vendor}: {'' if self.exact else 'about '}{self.calls:,} calls, "
            f"{self.requests:,} requests, {self.runs:,} Semarize runs, {self.days:.1f} days{cost}"
        )


def cost(runs: int, settings: Settings) -> float | None:
    """What runs cost, where the settings name a price."""
    price = settings.score.price_per_run
    return None if price is None else round(runs * price, 2)


def runs_for(cost_cap: float | None, runs_cap: int | None, settings: Settings) -> int | None:
    """The one cap on runs that two caps, on runs and on cost, make together."""
    if cost_cap is None:
        return runs_cap
    price = settings.score.price_per_run
    if price is None:
        raise Misconfigured(
            "max_cost: the settings file names no price; set score.price_per_run, or leave it empty"
        )
    # A price such as 0.1 is no binary fraction: ten runs of it must fit into 1.
    affordable = math.floor(cost_cap / price + 1e-9)
    return affordable if runs_cap is None else min(runs_cap, affordable)


def needs_approval(plans: Sequence[Plan], settings: Settings) -> bool:
    """Whether a person has to look at it first."""
    return (
        sum(plan.calls for plan in plans) > settings.history.approve_above_calls
        or sum(plan.runs for plan in plans) > settings.history.approve_above_runs
    )


def days_of_runs(runs: int, settings: Settings) -> float:
    """How long Semarize's requests and the day's cap make runs last, beside the live runs."""
    share = 1 - settings.history.live_share
    # Two requests a run at least: one sends it, one asks for its answer.
    days = [2 * runs / (settings.score.requests_per_second * share) / 86_400]
    if settings.score.max_runs_per_day is not None:
        days.append(runs / max(1, math.floor(settings.score.max_runs_per_day * share)))
    return max(days)


def pinned(kits: Sequence[Kit], semarize: SemarizeClient) -> tuple[Kit, ...]:
    """Kits, each at one version from here on: the one named, else the one published now.

    Without this a campaign that goes on after a new version was published would mix the two.
    """
    made = []
    for kit in kits:
        schema = semarize.schema(code=kit.code, version_id=kit.version_id)
        version = kit.version_id or schema.version_id
        if version is None:
            raise Misconfigured(
                f"kits: Semarize does not say which version of {kit.name} is published; name it, "
                f"as {kit.name}@<version id>"
            )
        made.append(
            Kit(name=kit.name, code=kit.code or schema.code, version_id=version, vendors=())
        )
    return tuple(made)


def buy(state: State, settings: Settings, campaign: str, caps: Caps, wanted: int) -> Granted:
    """Take runs from the campaign's cap and from its share of the day's, both or neither."""
    day = settings.score.max_runs_per_day
    share = None if day is None else math.floor(day * (1 - settings.history.live_share))
    claims = [Claim(runs_key(campaign), "ever", caps.runs), Claim(RUNS, "day", share)]
    granted, (own, _) = state.budgets.spend_all(claims, wanted)
    refused = wanted - granted
    over = refused if own is not None and own == granted else 0
    return Granted(granted, capped=refused - over, over_cap=over)


def take_calls(state: State, campaign: str, caps: Caps, wanted: int) -> int:
    """How many more calls may be fetched, taken before they are."""
    return state.budgets.spend_all([Claim(calls_key(campaign), "ever", caps.calls)], wanted)[0]


def runs_bought(state: State, campaign: str) -> int:
    """What a campaign has taken of its cap on runs so far, over all vendors."""
    return state.budgets.used(runs_key(campaign), "ever")


def calls_key(campaign: str) -> str:
    """Under which name a campaign's calls are counted."""
    return f"calls of {campaign}"


def runs_key(campaign: str) -> str:
    """Under which name a campaign's runs are counted."""
    return f"runs of {campaign}"
