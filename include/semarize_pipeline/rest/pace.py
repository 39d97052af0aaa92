"""Politeness under the session: every request on the wire waits its turn here first.

Below authentication and retrying on purpose: a renewed token's second try and every retry
are requests too, and count like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

import requests
from requests.adapters import HTTPAdapter


class Pace(Protocol):
    """A key's right to send, shared by every task that uses the key; see ``state/budgets.py``."""

    @property
    def taken(self) -> int:
        """Requests sent so far by this process."""

    def take(self) -> None:
        """Wait for the next turn. Raises ``Wait`` when the day's or week's budget is used up."""

    def charge(self, records: int) -> None:
        """Count records received, where the vendor limits records rather than requests."""

    def answered(self, headers: Mapping[str, str]) -> None:
        """Count what a request cost, where the vendor says so in its answer."""

    def hold(self, until: datetime) -> None:
        """The vendor asked for silence until then: every task that shares the key obeys."""


class PacedAdapter(HTTPAdapter):
    """An HTTP adapter that takes a turn before each request."""

    def __init__(self, pace: Pace, connections: int = 32) -> None:
        self.pace = pace
        super().__init__(pool_connections=4, pool_maxsize=connections)

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        self.pace.take()
        response = super().send(request, *args, **kwargs)
        self.pace.answered(response.headers)
        return response
