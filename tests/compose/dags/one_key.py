"""For `make test-celery` only: many tasks on several workers ask Gong's stand-in with one key."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, task

PARTS = 8
REQUESTS = 4

with DAG("one_key", schedule=None, tags=["proof"]):

    @task
    def ask(part: int) -> str:
        """Ask as fast as one may; returns the worker that did."""
        from semarize_airflow.hooks.vendor_hook import VendorHook
        from semarize_pipeline.model import Window

        hook = VendorHook("gong")
        client = hook.client()
        now = datetime.now(UTC)
        for _ in range(REQUESTS):
            listing = hook.vendor.window(Window(now - timedelta(hours=1), now))
            next(client.pages(hook.vendor.listing, listing), [])
        return os.environ["HOSTNAME"]

    ask.expand(part=list(range(PARTS)))
