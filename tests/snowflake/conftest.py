"""The far side of these tests: a real Snowflake account, or the emulator.

``make test-snowflake`` means an account. Every other run means the emulator, which keeps the
tests themselves from rotting: what it cannot do is marked, and must still fail there.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from unit.warehouse.emulator import emulated, emulator_running

from semarize_pipeline.errors import PipelineError
from semarize_pipeline.warehouse.port import Session
from semarize_pipeline.warehouse.snowflake import SnowflakeConnection, SnowflakeWarehouse
from semarize_pipeline.warehouse.snowflake_setup import landing_tables, parameters, statements

REAL = os.environ.get("SNOWFLAKE_SUITE") == "account"
ADMIN = "AIRFLOW_CONN_SNOWFLAKE_ADMIN"
EDITION = "SNOWFLAKE_TEST_EDITION"
HERE = Path(__file__).parent
# The contract runs on the emulator in tests/unit/warehouse; here some of it shows that it fits.
CONTRACT_ON_THE_EMULATOR = {
    "test_landing_twice_is_landing_once",
    "test_an_error_in_a_removal_undoes_it_too",
    "test_a_new_column_is_added",
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kept, left = [], []
    if REAL and not os.environ.get(ADMIN):
        pytest.exit(
            f"No Snowflake account is configured, so nothing was run. Set {ADMIN} to a connection "
            "of the type snowflake whose user may use ACCOUNTADMIN; see docs/snowflake-setup.md",
            returncode=0,
        )
    for item in items:
        if HERE not in item.path.parents:
            kept.append(item)
            continue
        item.add_marker("snowflake")
        is_contract = item.path.name == "test_contract.py"
        name = getattr(item, "originalname", item.name)
        if not REAL and is_contract and name not in CONTRACT_ON_THE_EMULATOR:
            left.append(item)
            continue
        kept.append(item)
        if not REAL:
            for mark in item.iter_markers("emulator_cannot"):
                why = f"the emulator {mark.args[0]}"
                item.add_marker(pytest.mark.xfail(strict=True, reason=why, **mark.kwargs))
            for mark in item.iter_markers("account_only"):
                item.add_marker(pytest.mark.skip(reason=mark.args[0]))
    items[:] = kept
    config.hook.pytest_deselected(items=left)


@dataclass(frozen=True)
class Far:
    """An account with the set-up in it, under names of this run's own.

    :param key: the service user's private key; the set-up gave the user its public half.
    :param refused: the statements of the set-up that were not accepted, and why.
    """

    admin: SnowflakeConnection
    names: Mapping[str, str]
    masking: bool
    key: str = field(repr=False)
    refused: Mapping[str, str]

    @property
    def real(self) -> bool:
        return REAL

    def warehouse(self, role: str = "pipeline") -> SnowflakeWarehouse:
        """As one of our roles: the pipeline's is that of the service user, with its key."""
        if not REAL:
            return SnowflakeWarehouse(self.admin)
        purpose = {"reporter": "reporting", "transformer": "transforming"}.get(role, "loading")
        connection = replace(
            self.admin,
            database=self.names["database"],
            warehouse=self.names[f"{purpose}_warehouse"],
            role=self.admin.role if role == "admin" else self.names[f"{role}_role"],
        )
        if role == "pipeline":
            connection = replace(
                connection,
                user=self.names["service_user"],
                password=None,
                oauth_token=None,
                private_key=self.key,
                private_key_passphrase=None,
            )
        return SnowflakeWarehouse(connection)

    @contextmanager
    def session(self, role: str = "pipeline", purpose: str = "a test") -> Iterator[Session]:
        with self.warehouse(role).open(purpose) as session:
            if REAL and role != "pipeline":
                # The administrator's other roles would otherwise lend their privileges.
                session.query("use secondary roles none")
            yield session


def _key_pair() -> tuple[str, str]:
    """A private and a public key, as PEM."""
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


def _apply(session: Session, names: Mapping[str, str], masking: bool) -> dict[str, str]:
    refused = {}
    for each in statements(names, masking=masking):
        try:
            session.query(each.sql)
        except PipelineError as problem:
            refused[each.sql] = str(problem)
    return refused


def _forget(session: Session, names: Mapping[str, str]) -> dict[str, str]:
    """Remove what this run made, and nothing that does not bear its own prefix."""
    dropped = [("database", f"{names['prefix']}_CONTRACT"), ("database", names["database"])]
    dropped += [
        (kind, value)
        for kind in ("warehouse", "resource monitor", "user", "role")
        for name, value in names.items()
        if name.endswith(kind.replace(" ", "_"))
    ]
    dropped.append(("role", f"{names['prefix']}_ANALYST"))
    left = {}
    session.query("use role accountadmin")
    for kind, name in dropped:
        assert name.startswith("SEMARIZE_TEST_")
        try:
            session.query(f"drop {kind} if exists {name}")
        except PipelineError as problem:
            left[name] = str(problem)
    return left


@pytest.fixture(scope="session")
def far() -> Iterator[Far]:
    key, public = _key_pair()
    names = parameters(
        {
            "prefix": f"semarize_test_{uuid.uuid4().hex[:8]}",
            "monthly_credits": "2",
            "public_key": public,
        }
    )
    masking = os.environ.get(EDITION) != "standard"
    if not REAL:
        with emulator_running() as port:
            admin = emulated(port, names["database"]).connection
            with SnowflakeWarehouse(admin).open("the set-up") as session:
                refused = _apply(session, names, masking)
                # It refuses how these schemas are to be made, so they are made plainly.
                for schema in ("landing", "staging", "intermediate", "marts", "workforce"):
                    session.query(f"create schema if not exists {schema}")
                session.ensure(landing_tables())
            yield Far(admin, names, masking, key, refused)
        return
    # Imported here: Airflow is large, and only this way needs it.
    from semarize_airflow.hooks.warehouse_hook import WarehouseHook

    found = WarehouseHook("snowflake_admin").get_conn()
    assert isinstance(found, SnowflakeWarehouse), f"{ADMIN} is not of the type snowflake"
    admin = replace(found.connection, role="ACCOUNTADMIN")
    with SnowflakeWarehouse(admin).open("the set-up of a test run") as session:
        try:
            yield Far(admin, names, masking, key, _apply(session, names, masking))
        finally:
            left = _forget(session, names)
            assert not left, f"these could not be removed: {left}"
