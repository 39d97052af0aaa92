"""OAuth token pairs, sealed with Airflow's Fernet key."""

from __future__ import annotations

import hashlib
import hmac
import json
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from semarize_pipeline.errors import Misconfigured, Unreadable
from semarize_pipeline.rest.auth import TokenPair
from semarize_pipeline.state import tables as t

if TYPE_CHECKING:
    from semarize_pipeline.state.store import State

# Longer than a token request may take; a task that dies while renewing blocks others this long.
RENEWAL_SECONDS = 60.0


class Tokens:
    """A ``TokenStore`` that every worker sees."""

    def __init__(self, state: State, fernet_key: str | None) -> None:
        self._state = state
        self._fernet_key = fernet_key

    def load(self, key: str) -> TokenPair | None:
        with self._state.read() as connection:
            row = connection.execute(sa.select(t.tokens).where(t.tokens.c.key == key)).first()
        if row is None:
            return None
        try:
            held = json.loads(self._fernet().decrypt(row.sealed.encode()))
        except InvalidToken:
            raise Misconfigured(
                f"the token stored for {key} was sealed with another Fernet key; restore "
                "[core] fernet_key, or authorize again after deleting its row in the table tokens"
            ) from None
        return TokenPair(access=held["access"], refresh=held["refresh"], expires_at=row.expires_at)

    def save(self, key: str, pair: TokenPair) -> None:
        plain = json.dumps({"access": pair.access, "refresh": pair.refresh}).encode()
        row = {
            "key": key,
            "sealed": self._fernet().encrypt(plain).decode(),
            "expires_at": pair.expires_at,
            "updated_at": self._state.clock(),
        }
        with self._state.write() as connection:
            self._state.upsert(connection, t.tokens, [row], ["sealed", "expires_at", "updated_at"])

    def renewing(self, key: str) -> AbstractContextManager[None]:
        return self._state.lease(f"renew {key}", RENEWAL_SECONDS, wait_seconds=RENEWAL_SECONDS + 5)

    def seal(self, plain: bytes) -> str:
        """Anything else that must not lie about in the open; sealed with the same key."""
        return self._fernet().encrypt(plain).decode()

    def unseal(self, sealed: str) -> bytes:
        """What was sealed. Raises Unreadable where that was with another key."""
        try:
            return self._fernet().decrypt(sealed.encode())
        except InvalidToken:
            raise Unreadable("it was sealed with another Fernet key") from None

    def fingerprint(self, text: str) -> str:
        """A name for a text that tells nothing of it without the key, not even by trying."""
        self._fernet()
        first = str(self._fernet_key).split(",")[0].strip()
        return hmac.new(first.encode(), text.encode(), hashlib.sha256).hexdigest()

    def _fernet(self) -> MultiFernet:
        if not self._fernet_key:
            raise Misconfigured(
                "tokens and what is pending are stored encrypted, and there is no key: set "
                "AIRFLOW__CORE__FERNET_KEY"
            )
        try:
            # A list while keys are rotated, as Airflow reads it: the first one seals.
            return MultiFernet([Fernet(key.strip()) for key in self._fernet_key.split(",")])
        except ValueError:
            raise Misconfigured("AIRFLOW__CORE__FERNET_KEY is not a Fernet key") from None
