"""What the vendors' hook and Semarize's share: an HTTP connection as a polite session."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import requests
from airflow.providers.http.hooks.http import HttpHook
from requests.auth import AuthBase

from semarize_airflow.hooks.state_hook import StateHook
from semarize_pipeline import connect
from semarize_pipeline.rest.auth import Credentials
from semarize_pipeline.rest.client import RestClient
from semarize_pipeline.state import State
from semarize_pipeline.state.budgets import Limits


class RestHook(HttpHook, ABC):
    """Airflow's HTTP connection and session, with our authentication and our pace under it.

    Of the connection's extra, ``verify``, ``cert`` and ``proxies`` configure the session. The
    rest belongs to the credentials and, unlike in ``HttpHook``, never becomes a header.
    """

    # Whether errors quote the other side's; not where it may repeat a transcript.
    quotes = True

    def __init__(
        self, http_conn_id: str, limits: Limits, default_host: str, state: State | None = None
    ) -> None:
        super().__init__(http_conn_id=http_conn_id)
        self.default_host = default_host
        self.limits = limits
        self._state = state

    @property
    def state(self) -> State:
        if self._state is None:
            self._state = StateHook().get_conn()
        return self._state

    @abstractmethod
    def authentication(self, given: Credentials) -> AuthBase:
        """How requests of this API are signed."""

    def get_conn(
        self, headers: dict[Any, Any] | None = None, extra_options: dict[str, Any] | None = None
    ) -> requests.Session:
        """The signed and paced session, for ``HttpHook.run`` and for whoever wants it bare."""
        given = self.credentials(self.get_connection(self.http_conn_id))
        pace = connect.shared_pace(given, self.limits, self.state)
        session = connect.session(given, self.authentication(given), pace)
        session.headers.update(headers or {})
        return session

    def client(self) -> RestClient:
        """The connection as a client: paced, retrying, with errors that name the remedy."""
        return self.client_of(self.get_connection(self.http_conn_id))

    def client_of(self, connection: Any) -> RestClient:
        given = self.credentials(connection)
        return connect.client(
            given,
            self.base_url,
            self.authentication(given),
            self.limits,
            self.state,
            quotes=self.quotes,
        )

    def credentials(self, connection: Any) -> Credentials:
        """The connection's fields; ``host`` with scheme and path, or the vendor's own."""
        self._set_base_url(connection)
        return Credentials(
            connection=self.http_conn_id,
            login=connection.login or None,
            password=connection.password or None,
            extra=connection.extra_dejson,
            host=self.base_url,
        )
