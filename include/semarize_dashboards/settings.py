"""What the operator decides, from the environment alone: nothing of it is in a URL."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semarize_pipeline.errors import Misconfigured

# The reporter's own connection where there is one, else the pipeline's.
CONNECTIONS = ("dashboards_default", "warehouse_default")
TRANSCRIPTS = "DASHBOARD_TRANSCRIPTS"
WORKFORCE = "DASHBOARD_WORKFORCE"
_TRUE, _FALSE = ("true", "1", "yes", "on"), ("", "false", "0", "no", "off")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the warehouse is, and what may be shown of it.

    :param connection: an Airflow connection's fields; ``name`` says which one it is.
    :param transcripts: whether customers' words are shown; see docs/dashboards.md.
    :param workforce: whether the marts about people at work (HR) are shown.
    :param sandbox: whether the warehouse holds made-up conversations.
    :param fresh_seconds: how long an answer is shown before the warehouse is asked again.
    """

    name: str
    connection: Mapping[str, Any] = field(repr=False)
    transcripts: bool = False
    workforce: bool = False
    sandbox: bool = False
    fresh_seconds: int = 300
    address: str = "127.0.0.1"
    port: int = 8501

    @classmethod
    def told(cls, variables: Mapping[str, str]) -> Settings:
        """What the variables say. Raises Misconfigured, with the variable to mend."""
        name, connection = _connection(variables)
        return cls(
            name=name,
            connection=connection,
            transcripts=_switch(variables, TRANSCRIPTS),
            workforce=_switch(variables, WORKFORCE),
            sandbox=_switch(variables, "DASHBOARD_SANDBOX_DATA"),
            fresh_seconds=_number(variables, "DASHBOARD_FRESH_SECONDS", 300, 1, 86_400),
            address=variables.get("DASHBOARD_ADDRESS") or "127.0.0.1",
            port=_number(variables, "DASHBOARD_PORT", 8501, 1, 65_535),
        )


def _connection(variables: Mapping[str, str]) -> tuple[str, Mapping[str, Any]]:
    for name in CONNECTIONS:
        variable = f"AIRFLOW_CONN_{name.upper()}"
        text = variables.get(variable)
        if not text:
            continue
        try:
            told = json.loads(text)
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise Misconfigured(
                f"{variable} is not a JSON object; the dashboards read connections as JSON only, "
                'such as {"conn_type": "duckdb", "host": "/path/to/warehouse.duckdb"}'
            )
        if isinstance(told.get("extra"), str):
            told["extra"] = json.loads(told["extra"] or "{}")
        return name, told
    home = Path(variables.get("AIRFLOW_HOME") or Path.home() / "airflow").expanduser()
    return "warehouse_default", {"conn_type": "duckdb", "host": str(home / "warehouse.duckdb")}


def _switch(variables: Mapping[str, str], variable: str) -> bool:
    told = variables.get(variable, "").strip().lower()
    if told not in _TRUE + _FALSE:
        raise Misconfigured(f"{variable}={told} is neither true nor false")
    return told in _TRUE


def _number(
    variables: Mapping[str, str], variable: str, default: int, least: int, most: int
) -> int:
    told = variables.get(variable, "").strip()
    if not told:
        return default
    if not told.isascii() or not told.isdigit() or not least <= int(told) <= most:
        raise Misconfigured(f"{variable}={told}: give a whole number from {least} to {most}")
    return int(told)
