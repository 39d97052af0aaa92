"""``warehouse_default`` of the type snowflake, with the fields that Airflow's form has."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

EXTRA = {"account": "acme", "database": "CALLS", "warehouse": "LOADING", "role": "LOADER"}


@pytest.fixture
def connect(airflow_home: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The hook's warehouse for a connection with these fields."""

    def with_fields(extra: dict[str, Any], **fields: Any) -> Any:
        told = {"conn_type": "snowflake", "login": "BOT", "extra": extra, **fields}
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE_DEFAULT", json.dumps(told))
        from semarize_airflow.hooks.warehouse_hook import WarehouseHook

        return WarehouseHook().get_conn().connection

    return with_fields


def pem() -> str:
    return (
        rsa.generate_private_key(65537, 2048)
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


def test_a_password(connect: Any) -> None:
    told = connect({**EXTRA, "region": "eu-central-1"}, password="hunter2", schema="landing")
    arguments = told.arguments("a test")
    wanted = {
        "account": "acme.eu-central-1",
        "user": "BOT",
        "password": "hunter2",
        "database": "CALLS",
        "warehouse": "LOADING",
        "role": "LOADER",
    }
    assert {name: arguments[name] for name in wanted} == wanted
    assert "host" not in arguments


def test_a_private_key_as_text_in_base64_or_as_a_file(connect: Any, tmp_path: Path) -> None:
    key = pem()
    (tmp_path / "key.p8").write_text(key)
    found = [
        connect({**EXTRA, **way}).arguments("a test")["private_key"]
        for way in (
            {"private_key_content": key},
            {"private_key_content": base64.b64encode(key.encode()).decode()},
            {"private_key_file": str(tmp_path / "key.p8")},
        )
    ]
    assert found[0] == found[1] == found[2]


def test_a_token(connect: Any) -> None:
    told = connect({**EXTRA, "authenticator": "oauth", "token": "t-1"}, password="unused")
    arguments = told.arguments("a test")
    assert (arguments["authenticator"], arguments["token"]) == ("oauth", "t-1")
    assert "password" not in arguments


@pytest.mark.parametrize(
    ("extra", "fields", "remedy"),
    [
        ({"account": "acme"}, {}, "account and database"),
        (EXTRA, {"login": None}, "give login"),
        (EXTRA, {"schema": "PUBLIC"}, "always landing"),
        ({**EXTRA, "authenticator": "externalbrowser"}, {}, "wants a person"),
        ({**EXTRA, "authenticator": "oauth"}, {}, "needs token"),
        ({**EXTRA, "authenticator": "snowflake_jwt"}, {}, "needs private_key"),
        ({**EXTRA, "private_key_content": "!"}, {}, "neither PEM"),
    ],
)
def test_what_is_missing_is_named(
    connect: Any, extra: dict[str, Any], fields: dict[str, Any], remedy: str
) -> None:
    from semarize_pipeline.errors import Misconfigured

    with pytest.raises(Misconfigured, match=remedy):
        connect(extra, **fields)


def test_dbt_does_not_build_there_yet(connect: Any) -> None:
    """It says so at once: before anything is opened, and without retries."""
    connect(EXTRA, password="hunter2", host="127.0.0.1", port=1)
    from airflow.sdk.exceptions import AirflowFailException

    from semarize_airflow.operators.dbt_operator import DbtBuildOperator

    with pytest.raises(AirflowFailException, match="dbt builds on DuckDB only"):
        DbtBuildOperator(task_id="dbt_build").execute({})
