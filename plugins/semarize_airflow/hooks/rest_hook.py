"""What the vendors' hook and Semarize's share: an HTTP connection as a polite session."""

from __future__ import annotations

from typing import Any

import requests
from airflow.providers.http.hooks.http import HttpHook
from requests.auth import AuthBase

from semarize_airflow.hooks.state_hook import StateHook
from semarize_pipeline.rest.auth import Credentials
from semarize_pipeline.rest.client import RestClient
from semarize_pipeline.rest.pace import PacedAdapter
from semarize_pipeline.state import State
from semarize_pipeline.state.budgets import Limits, SharedPace

# Threads that share a session: fewer sockets than this would make them wait for each other.
SOCKETS = 64


class RestHook(HttpHook):
    """Airflow's HTTP connection and session, with our authentication and our pace under it.

    Of the connection's extra, ``verify``, ``cert`` and ``proxies`` configure the session. The
    rest belongs to the credentials and, unlike in ``HttpHook``, never becomes a header.
    """

    def __init__(
        self, http_conn_id: str, limits: Limits, default_host: str, state: State | None = None
    ) -> None:
        # A pool of sockets of our own stands in for the provider's keep-alive adapter.
        super().__init__(http_conn_id=http_conn_id, tcp_keep_alive=False)
        self.default_host = default_host
        self.limits = limits
        self._state = state

    @property
    def state(self) -> State:
        if self._state is None:
            self._state = StateHook().get_conn()
        return self._state

    def authentication(self, given: Credentials) -> AuthBase:
        """How requests of this API are signed."""
        raise NotImplementedError

    def get_conn(
        self, headers: dict[Any, Any] | None = None, extra_options: dict[str, Any] | None = None
    ) -> requests.Session:
        return self._session(self.get_connection(self.http_conn_id), headers)

    def client(self) -> RestClient:
        """The connection as a client: paced, retrying, with errors that name the remedy."""
        return self.client_of(self.get_connection(self.http_conn_id))

    def client_of(self, connection: Any) -> RestClient:
        session = self._session(connection)
        adapter = session.get_adapter(self.base_url)
        assert isinstance(adapter, PacedAdapter)
        return RestClient(
            session,
            self.base_url,
            connection=self.http_conn_id,
            pace=adapter.pace,
            secrets=self._credentials(connection).secrets,
        )

    def _session(self, connection: Any, headers: dict[Any, Any] | None = None) -> requests.Session:
        self._set_base_url(connection)
        session = requests.Session()
        session.auth = self.authentication(self._credentials(connection))
        extra = connection.extra_dejson
        session.verify = extra.get("verify", True)
        session.cert = extra.get("cert")
        session.proxies.update(extra.get("proxies") or {})
        # One key, one budget, whichever connection or worker uses it.
        key = extra.get("budget_key") or self.http_conn_id
        pace = SharedPace(self.state.budgets, key, self.limits)
        adapter = PacedAdapter(pace, SOCKETS)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        session.headers.update({"User-Agent": "semarize-conversations", **(headers or {})})
        return session

    def _credentials(self, connection: Any) -> Credentials:
        return Credentials(
            connection=self.http_conn_id,
            login=connection.login or None,
            password=connection.password or None,
            extra=connection.extra_dejson,
            host=connection.host or None,
        )
