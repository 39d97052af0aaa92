"""Waits for slow runs without holding a worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from semarize_airflow.hooks.semarize_hook import SemarizeHook
from semarize_airflow.hooks.state_hook import StateHook
from semarize_pipeline.errors import PipelineError
from semarize_pipeline.semarize.client import SemarizeClient

POLL_SECONDS = 15.0
# Runs looked at in one round: enough to notice progress, whatever their number.
SAMPLE = 20


class ScoreTrigger(BaseTrigger):
    """Fires when a run has ended, or at the deadline. Carries ids and a connection's name.

    :param semarize_conn_id: the connection, by name.
    :param run_ids: the runs that were slow.
    :param deadline: ISO 8601, aware.
    """

    def __init__(
        self,
        semarize_conn_id: str,
        run_ids: list[str],
        deadline: str,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.semarize_conn_id = semarize_conn_id
        self.run_ids = run_ids
        self.deadline = deadline
        self.poll_seconds = poll_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "semarize_conn_id": self.semarize_conn_id,
                "run_ids": self.run_ids,
                "deadline": self.deadline,
                "poll_seconds": self.poll_seconds,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        state = await StateHook().aget_conn()
        try:
            client = await SemarizeHook(self.semarize_conn_id, state=state).asemarize()
            ends = datetime.fromisoformat(self.deadline)
            while datetime.now(UTC) < ends:
                await asyncio.sleep(self.poll_seconds)
                ended = await asyncio.to_thread(self._ended, client)
                if ended:
                    yield TriggerEvent({"ended": ended})  # type: ignore[no-untyped-call]
                    return
            yield TriggerEvent({"ended": []})  # type: ignore[no-untyped-call]
        finally:
            state.close()

    def _ended(self, client: SemarizeClient) -> list[str]:
        """The first runs found at their end; trouble wakes the task, which knows what to do."""
        try:
            for run_id in self.run_ids[:SAMPLE]:
                if client.status(run_id).is_terminal:
                    return [run_id]
        except PipelineError as error:
            self.log.warning("%s", error)
            return self.run_ids[:1]
        return []
