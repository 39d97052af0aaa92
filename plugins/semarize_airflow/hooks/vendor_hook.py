"""One hook for all vendors: what differs stands in the vendor's file."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from requests.auth import AuthBase

from semarize_airflow.hooks.rest_hook import RestHook
from semarize_airflow.run import read_settings
from semarize_pipeline import vendors
from semarize_pipeline.errors import PipelineError
from semarize_pipeline.model import Window
from semarize_pipeline.rest.auth import Credentials
from semarize_pipeline.settings import Settings
from semarize_pipeline.state import State


class VendorHook(RestHook):
    """A vendor's connection, ``<vendor>_default`` unless named otherwise.

    The limits are the vendor's, as far as the settings (``[limits.<vendor>]``) do not change them.
    """

    conn_name_attr = "http_conn_id"
    hook_name = "Conversation vendor"

    def __init__(
        self,
        vendor: str,
        http_conn_id: str | None = None,
        state: State | None = None,
        reserved: float = 0.0,
        settings: Settings | None = None,
    ) -> None:
        declared = vendors.get(vendor)
        limits = (settings or read_settings()).limits_for(vendor, declared.limits)
        # Plans reckon with them too.
        self.vendor = replace(declared, limits=limits)
        super().__init__(
            http_conn_id or declared.connection,
            replace(limits, reserved=reserved),
            declared.base_url,
            state,
        )

    def authentication(self, given: Credentials) -> AuthBase:
        return self.vendor.auth(given, self.state.tokens)

    def test_connection(self) -> tuple[bool, str]:
        """One page of the last hour: proves the host, the credential and its scope."""
        now = datetime.now(UTC)
        try:
            ask = self.vendor.window(Window(now - timedelta(hours=1), now))
            rows = next(self.client().pages(self.vendor.listing, ask), [])
        except PipelineError as error:
            return False, str(error)
        return True, f"{self.vendor.title} answered with {len(rows)} conversations of the last hour"
