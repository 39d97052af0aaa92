"""``make snowflake-plan``: what the pipeline needs in Snowflake, as SQL that a person runs.

Prints, and never changes anything. Where a connection is configured, the account is asked with
SHOW which objects are there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from semarize_airflow.local.console import quiet
from semarize_airflow.local.environment import Refused, Runtime, environment
from semarize_pipeline.errors import Misconfigured, PipelineError
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
from semarize_pipeline.warehouse.snowflake_setup import (
    Made,
    Statement,
    existing,
    parameters,
    statements,
)

# An administrator sees every object; the pipeline's own role sees what it may use.
CONNECTIONS = {
    "AIRFLOW_CONN_SNOWFLAKE_ADMIN": "snowflake_admin",
    "AIRFLOW_CONN_WAREHOUSE_DEFAULT": "warehouse_default",
}
_KNOWN = {True: "is there already", False: "is not there yet", None: "may be there: not visible"}


def plan(
    runtime: Runtime, variables: Mapping[str, str], given: Sequence[str], *, masking: bool
) -> int:
    """Print the plan; returns the exit code."""
    try:
        chosen = parameters(_pairs(given))
    except Misconfigured as problem:
        raise Refused(str(problem)) from None
    wanted = statements(chosen, masking=masking)
    objects = [made for each in wanted if (made := each.makes(chosen["database"]))]
    # What Airflow and the connector log goes to a file: the output is SQL and nothing else.
    with quiet(runtime.logs / "snowflake-plan.log") as console:
        told, found = _ask(runtime, variables, chosen["database"], objects)
        console.line("\n".join(lines(chosen, wanted, told, found, masking=masking)))
    return 0


def _pairs(given: Iterable[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for each in given:
        name, separator, value = each.partition("=")
        if not separator:
            raise Misconfigured(f"--set {each}: give it as NAME=VALUE")
        pairs[name] = value
    return pairs


def _ask(
    runtime: Runtime, variables: Mapping[str, str], database: str, objects: Sequence[Made]
) -> tuple[str, dict[Made, bool | None]]:
    """Whom was asked, in a sentence, and what is there."""
    variable = next((name for name in CONNECTIONS if variables.get(name)), None)
    if variable is None:
        return f"No account was asked: neither {' nor '.join(CONNECTIONS)} is set.", {}
    # Airflow reads the connection, and must find the project's home rather than the user's.
    os.environ.update(environment(runtime, variables=variables, sandbox={}))
    from semarize_airflow.hooks.warehouse_hook import WarehouseHook

    name = CONNECTIONS[variable]
    try:
        warehouse = WarehouseHook(name).get_conn()
        if isinstance(warehouse, DuckDBWarehouse):
            return f"No account was asked: {variable} is not a Snowflake connection.", {}
        with warehouse.open("snowflake-plan") as session:
            found = existing(session, objects)
    except PipelineError as problem:
        return f"No account was asked, though {variable} is set: {problem}", {}
    connection = warehouse.connection
    role = f"the role {connection.role}" if connection.role else "its default role"
    told = f"Asked with SHOW alone: account {connection.account}, as {connection.user} with {role}."
    if name == "warehouse_default" and connection.database.upper() != database:
        told += (
            f" But {name} lands in the database {connection.database}, and this plan makes "
            f"{database}: choose one with --set database=NAME."
        )
    return told, found


def lines(
    chosen: Mapping[str, str],
    wanted: Iterable[Statement],
    told: str,
    found: Mapping[Made, bool | None],
    *,
    masking: bool,
) -> Iterator[str]:
    """The plan as SQL with comments."""
    yield "-- What the pipeline needs in Snowflake. Nothing has been run."
    # No comment holds a semicolon: some tools take it for the end of a statement.
    yield f"-- {' '.join(told.split()).replace(';', ',')}"
    if found:
        there = sum(known is True for known in found.values())
        yield f"-- {there} of the {len(found)} objects are there already."
    yield "-- Read it, then run it as a user with ACCOUNTADMIN, in Snowsight or with snow sql."
    yield "-- It can be run again: it makes what is missing, sets settings and grants again, and"
    yield "-- drops and empties nothing."
    if not masking:
        yield "-- Masking is left out: it needs Enterprise edition."
    yield "-- Names and numbers, each changed with ARGS='--set NAME=VALUE':"
    for name, value in chosen.items():
        yield f"--   {name} = {value or '(not given)'}"
    section = purpose = ""
    for each in wanted:
        if each.section != section:
            section = each.section
            yield ""
            yield f"-- == {section}"
        if each.purpose != purpose:
            purpose = each.purpose
            yield ""
            yield f"-- {purpose}"
        made = each.makes(chosen["database"])
        if made is not None and made in found:
            yield f"-- {made.kind} {'.'.join(made.path)} {_KNOWN[found[made]]}"
        if each.missing:
            yield f"-- Left out until it is given, with --set {each.missing[0]}=…:"
            yield f"-- {each.sql}"
        else:
            yield f"{each.sql};"
