"""What every warehouse promises, on a Snowflake account: the same tests as for the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from unit.warehouse import test_warehouse_contract as contract

from semarize_pipeline.warehouse.port import Warehouse
from semarize_pipeline.warehouse.snowflake import SnowflakeWarehouse

session = contract.session
TESTS: dict[str, Callable[..., None]] = {
    name: test for name, test in vars(contract).items() if name.startswith("test_")
}
assert len(TESTS) > 15, "the contract is somewhere else"
globals().update(TESTS)


@pytest.fixture
def kind() -> str:
    return "snowflake"


@pytest.fixture(scope="session")
def database(far: Any) -> str:
    """A database in which the pipeline's role may make the schema itself."""
    name = f"{far.names['prefix']}_CONTRACT"
    role = far.names["pipeline_role"]
    with far.session("admin") as session:
        session.query(f"create database if not exists {name}")
        if far.real:
            session.query(f"grant usage, create schema on database {name} to role {role}")
    return name


@pytest.fixture
def warehouse(far: Any, database: str) -> Warehouse:
    found = SnowflakeWarehouse(replace(far.warehouse().connection, database=database))
    with found.open("an empty landing") as session:
        session.query("drop schema if exists landing cascade")
    return found
