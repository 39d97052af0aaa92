"""OAuth tokens for the stand-ins that hand them out."""

from __future__ import annotations

import time
from threading import Lock

from semarize_sandbox.wire import sign, unsign


class TokenMint:
    """Makes and checks the tokens of one kind at one stand-in.

    Tokens carry their own serial and end, so one that was handed out before a restart of the
    sandbox stays good: a client may have stored it, as it would with the real vendor.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._lock = Lock()
        self._oldest_good = 0

    def first(self) -> str:
        """The token that stands in a connection before any other was handed out."""
        return self._make(0, None)

    def issue(self, lifetime_seconds: float | None) -> str:
        ends = None if lifetime_seconds is None else time.time() + lifetime_seconds
        return self._make(time.time_ns(), ends)

    def issue_only(self, lifetime_seconds: float | None) -> str:
        """Hand out a token that revokes all earlier ones."""
        with self._lock:
            token = self.issue(lifetime_seconds)
            self._oldest_good = _serial(token)
            return token

    def trade(self, token: str, lifetime_seconds: float | None) -> str | None:
        """Take a good token in and hand out its successor; None if it was not good."""
        with self._lock:
            if not self._is_good(token):
                return None
            successor = self.issue(lifetime_seconds)
            self._oldest_good = _serial(successor)
            return successor

    def is_good(self, token: str) -> bool:
        with self._lock:
            return self._is_good(token)

    def revoke_all(self) -> None:
        with self._lock:
            self._oldest_good = time.time_ns()

    def _make(self, serial: int, ends: float | None) -> str:
        return sign({"sandbox": self._kind, "serial": serial, "ends": ends})

    def _is_good(self, token: str) -> bool:
        claims = unsign(token)
        if claims is None or claims.get("sandbox") != self._kind:
            return False
        ends = claims["ends"]
        return claims["serial"] >= self._oldest_good and (ends is None or time.time() < ends)


def _serial(token: str) -> int:
    claims = unsign(token)
    if claims is None:
        raise ValueError("not a token of this sandbox")
    return int(claims["serial"])
