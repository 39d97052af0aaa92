"""``semarize_default``: the API key in ``password``."""

from __future__ import annotations

from requests.auth import AuthBase

from semarize_airflow.hooks.rest_hook import RestHook
from semarize_airflow.run import read_settings
from semarize_pipeline.connect import semarize_limits
from semarize_pipeline.errors import PipelineError
from semarize_pipeline.rest.auth import Credentials, bearer
from semarize_pipeline.rest.paging import Ask
from semarize_pipeline.semarize.client import BASE_URL, CONNECTION, SemarizeClient
from semarize_pipeline.settings import ScoreSettings
from semarize_pipeline.state import State


class SemarizeHook(RestHook):
    """Semarize's connection as its client."""

    conn_name_attr = "semarize_conn_id"
    default_conn_name = CONNECTION
    hook_name = "Semarize"
    quotes = False

    def __init__(
        self,
        semarize_conn_id: str = default_conn_name,
        settings: ScoreSettings | None = None,
        state: State | None = None,
        reserved: float = 0.0,
    ) -> None:
        limits = semarize_limits(settings or read_settings().score, reserved)
        super().__init__(semarize_conn_id, limits, BASE_URL, state)

    def authentication(self, given: Credentials) -> AuthBase:
        return bearer(given)

    def semarize(self) -> SemarizeClient:
        return SemarizeClient(self.client(), self.http_conn_id)

    async def asemarize(self) -> SemarizeClient:
        """The same where an event loop runs: in the triggerer."""
        connection = await self.aget_connection(self.http_conn_id)
        return SemarizeClient(self.client_of(connection), self.http_conn_id)

    def test_connection(self) -> tuple[bool, str]:
        """The list of runs, which costs nothing."""
        try:
            self.client().send("GET", "/v1/runs", Ask(params={"limit": 1}))
        except PipelineError as error:
            return False, str(error)
        return True, "Semarize answered"
