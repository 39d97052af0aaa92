"""What operators take from the task's context and the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import semarize_pipeline
from semarize_pipeline import settings
from semarize_pipeline.settings import Settings

DEFAULT_SETTINGS = Path(semarize_pipeline.__file__).parents[1] / "pipeline.toml"


def run_name(context: Any) -> str:
    """Who writes the rows: DAG, run and task, as ``_loaded_by`` shows them."""
    ti = context["ti"]
    return f"{ti.dag_id}/{ti.run_id}/{ti.task_id}"


def read_settings() -> Settings:
    """The file that PIPELINE_SETTINGS names, read when a task runs."""
    return settings.load(os.environ.get("PIPELINE_SETTINGS") or DEFAULT_SETTINGS)
