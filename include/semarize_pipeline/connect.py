"""From credentials to clients, without Airflow: what the hooks use, and what a prompt may use.

>>> state = State("sqlite:////tmp/state.db")
>>> given = Credentials("gong_default", login="key", password="secret")
>>> api = vendor_client(vendors.get("gong"), given, state)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import requests
from requests.auth import AuthBase

from semarize_pipeline import vendors
from semarize_pipeline.rest import wire
from semarize_pipeline.rest.auth import Credentials, bearer
from semarize_pipeline.rest.client import RestClient
from semarize_pipeline.rest.pace import Pace, PacedAdapter
from semarize_pipeline.semarize.client import BASE_URL, CONNECTION, SemarizeClient
from semarize_pipeline.settings import ScoreSettings, Settings
from semarize_pipeline.state import State
from semarize_pipeline.state.budgets import RUNS, Limits, PaceBesideLive, SharedPace
from semarize_pipeline.vendors.base import Vendor

# Threads that share a session: with fewer sockets than this they would wait for each other.
SOCKETS = 64


def budget_key(connection: str, extra: Mapping[str, Any]) -> str:
    """What a connection's budget is called: its own name, or the extra ``budget_key``."""
    return str(extra.get("budget_key", connection))


def shared_pace(given: Credentials, limits: Limits, state: State) -> Pace:
    """The key's budget: by connection, or by the extra ``budget_key`` where several share a key."""
    key = budget_key(given.connection, given.extra)
    shared = SharedPace(state.budgets, key, limits)
    if not limits.reserved:
        return shared
    own = SharedPace(state.budgets, f"{key} beside live", limits.of_speed())
    return PaceBesideLive(own, shared)


def all_limits(settings: Settings, keys: Mapping[str, str] | None = None) -> dict[str, Limits]:
    """Every key with its limits, live runs' share included: what ``Budgets.usage`` asks for.

    :param keys: for connections whose extra ``budget_key`` names another key than their own:
        that key by connection.
    """
    share = settings.history.live_share
    found = {
        vendor.connection: settings.limits_for(vendor.name, vendor.limits)
        for vendor in map(vendors.get, vendors.names())
    }
    found[CONNECTION] = semarize_limits(settings.score)
    named = {
        (keys or {}).get(connection, connection): replace(limits, reserved=share)
        for connection, limits in found.items()
    }
    if settings.score.max_runs_per_day is not None:
        # Bought, not sent: they have no speed.
        named[RUNS] = Limits(
            requests_per_second=math.inf, per_day=settings.score.max_runs_per_day, reserved=share
        )
    return named


def session(given: Credentials, auth: AuthBase, pace: Pace) -> requests.Session:
    """A signed and paced session; the extras ``verify``, ``cert`` and ``proxies`` shape it."""
    made = wire.Session()
    made.auth = auth
    trust = wire.trust(given.extra)
    made.verify, made.cert = trust["verify"], trust["cert"]
    made.proxies.update(trust["proxies"])
    made.headers["User-Agent"] = "semarize-conversations"
    for scheme in ("https://", "http://"):
        made.mount(scheme, PacedAdapter(pace, SOCKETS))
    return made


def _settled(made: requests.Session, host: str) -> requests.Session:
    """The environment's proxies and certificates, asked for once and not before each request."""
    try:
        found = made.merge_environment_settings(host, {}, None, None, None)
    except ValueError:
        return made  # no such URL: the first request says so, with its remedy
    made.proxies, made.verify, made.cert = found["proxies"], found["verify"], found["cert"]
    made.trust_env = False
    return made


def client(
    given: Credentials,
    base_url: str,
    auth: AuthBase,
    limits: Limits,
    state: State,
    *,
    quotes: bool = True,
) -> RestClient:
    """One API with one credential; the connection's host overrides ``base_url``."""
    pace = shared_pace(given, limits, state)
    host = given.host or base_url
    return RestClient(
        _settled(session(given, auth, pace), host),
        host,
        connection=given.connection,
        pace=pace,
        secrets=given.secrets,
        quotes=quotes,
    )


def vendor_client(vendor: Vendor, given: Credentials, state: State) -> RestClient:
    """A vendor's API."""
    return client(given, vendor.base_url, vendor.auth(given, state.tokens), vendor.limits, state)


def semarize_limits(settings: ScoreSettings, reserved: float = 0.0) -> Limits:
    """Semarize publishes no numbers: ours is a setting, and gives way when told to."""
    return Limits(
        requests_per_second=settings.requests_per_second, adaptive=True, reserved=reserved
    )


def semarize_client(given: Credentials, state: State, settings: ScoreSettings) -> SemarizeClient:
    """Semarize's API."""
    limits = semarize_limits(settings)
    api = client(given, BASE_URL, bearer(given), limits, state, quotes=False)
    return SemarizeClient(api, given.connection)
