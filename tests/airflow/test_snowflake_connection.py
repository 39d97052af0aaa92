"""``warehouse_default`` of the type snowflake: the fields of Airflow's form, and what dbt gets."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ROOT = Path(__file__).parents[2]
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


def pem(passphrase: str | None = None) -> str:
    lock: Any = serialization.NoEncryption()
    if passphrase:
        lock = serialization.BestAvailableEncryption(passphrase.encode())
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock
    ).decode()


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


# ---------------------------------------------------------------------- what dbt gets

SECRETS = ("PRIVATE_KEY", "PRIVATE_KEY_PASSPHRASE", "PASSWORD", "TOKEN")


def for_dbt(told: Any) -> dict[str, str]:
    """The environment, with its secrets under their short names, without what is empty."""
    from semarize_pipeline.warehouse.snowflake import SnowflakeWarehouse

    with SnowflakeWarehouse(told).for_dbt("scorecards/run/dbt_build: dbt build") as target:
        assert target.name == "snowflake"
        for name, value in target.environment.items():
            is_secret = name.startswith("DBT_ENV_SECRET_SNOWFLAKE_")
            assert is_secret == (name.split("SNOWFLAKE_")[1] in SECRETS), "dbt blots out only those"
            if is_secret and value:
                assert value not in repr(target)
        return {n.split("SNOWFLAKE_")[1]: v for n, v in target.environment.items() if v}


def test_dbt_gets_the_same_connection(connect: Any) -> None:
    told = connect(
        {**EXTRA, "protocol": "http"}, password="hunter2", host="sf.example.com", port=8443
    )
    assert for_dbt(told) == {
        "ACCOUNT": "acme",
        "USER": "BOT",
        "PASSWORD": "hunter2",
        "DATABASE": "CALLS",
        "WAREHOUSE": "LOADING",
        "ROLE": "LOADER",
        "HOST": "sf.example.com",
        "PORT": "8443",
        "PROTOCOL": "http",
    }


def test_nothing_is_left_for_dbt_to_find_elsewhere(connect: Any) -> None:
    """Else a role of the worker's own environment would build."""
    told = connect({"account": "acme", "database": "CALLS"}, password="hunter2")
    environment = told.dbt_environment()
    empty = {name for name, value in environment.items() if not value}
    assert {"SNOWFLAKE_ROLE", "SNOWFLAKE_WAREHOUSE", "SNOWFLAKE_PRIVATE_KEY_PATH"} <= empty
    profile = (ROOT / "dbt" / "profiles.yml").read_text()
    read = set(re.findall(r"env_var\('((?:DBT_ENV_SECRET_)?SNOWFLAKE_\w+)'", profile))
    assert read == set(environment), "what is read is given, and nothing else"


def test_dbt_gets_a_key_as_it_was_given(connect: Any, tmp_path: Path) -> None:
    """Never opened, and never written: encrypted text stays so, and a file stays where it is."""
    key, path = pem("a passphrase"), tmp_path / "key.p8"
    path.write_text(key)
    for way in (key, base64.b64encode(key.encode()).decode()):
        told = connect({**EXTRA, "private_key_content": way}, password="a passphrase")
        found = for_dbt(told)
        assert found["PRIVATE_KEY"] == key.strip()
        assert found["PRIVATE_KEY_PASSPHRASE"] == "a passphrase"
        assert not {"PASSWORD", "TOKEN", "PRIVATE_KEY_PATH", "AUTHENTICATOR"} & set(found)
    told = connect({**EXTRA, "private_key_file": str(path)}, password="a passphrase")
    found = for_dbt(told)
    assert found["PRIVATE_KEY_PATH"] == str(path)
    assert "PRIVATE_KEY" not in found
    assert list(tmp_path.iterdir()) == [path]


def test_dbt_gets_a_token(connect: Any) -> None:
    told = connect({**EXTRA, "authenticator": "oauth", "token": "t-1"}, password="unused")
    found = for_dbt(told)
    assert (found["AUTHENTICATOR"], found["TOKEN"]) == ("oauth", "t-1")
    assert not {"PASSWORD", "PRIVATE_KEY"} & set(found)


def test_a_key_that_cannot_be_opened_never_reaches_dbt(connect: Any) -> None:
    from semarize_pipeline.errors import BadCredentials

    told = connect({**EXTRA, "private_key_content": pem("a passphrase")}, password="another")
    with pytest.raises(BadCredentials, match="warehouse_default"):
        for_dbt(told)


@pytest.mark.slow
def test_dbt_reads_all_of_it(connect: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real dbt, with our profile: what it would hand to the connector."""
    key, path = pem("a passphrase"), tmp_path / "key.p8"
    path.write_text(key)
    ways: list[tuple[dict[str, Any], dict[str, str]]] = [
        ({}, {"password": "a passphrase"}),
        ({"private_key_content": key}, {"private_key": "opened"}),
        ({"private_key_file": str(path)}, {"private_key": "opened"}),
        ({"authenticator": "oauth", "token": "t-1"}, {"authenticator": "oauth", "token": "t-1"}),
    ]
    monkeypatch.setenv("SNOWFLAKE_ROLE", "SOMEBODY_ELSE")
    given = []
    for way, _ in ways:
        extra = {"account": "acme", "database": "CALLS", "warehouse": "LOADING", **way}
        told = connect(extra, password="a passphrase", host="sf.example.com", port=8443)
        given.append(told.dbt_environment())
    done = subprocess.run(
        [str(ROOT / ".venv-dbt" / "bin" / "python"), "-c", READ_PROFILE, str(ROOT / "dbt")],
        input=json.dumps(given),
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    for read, (way, credential) in zip(found, ways, strict=True):
        assert read["credential"] == credential, way
        assert read["port"] == 8443
        assert read["role"] is None
        assert read["query_tag"] == "semarize_conversations_dbt"
        assert read["retry_on_database_errors"] is False


def test_dbt_may_build_on_a_virtual_warehouse_of_its_own(connect: Any) -> None:
    told = connect({**EXTRA, "dbt_warehouse": "TRANSFORMING"}, password="secret")
    assert told.arguments("a test")["warehouse"] == "LOADING"
    assert told.dbt_environment()["SNOWFLAKE_WAREHOUSE"] == "TRANSFORMING"


READ_PROFILE = """
import json, os, sys
from dbt.config.profile import read_profile
from dbt.config.renderer import ProfileRenderer
from dbt.adapters.snowflake.connections import SnowflakeCredentials
from dbt_common.context import set_invocation_context

found = []
for environment in json.load(sys.stdin):
    set_invocation_context({**os.environ, **environment})
    os.environ.update(environment)
    told = read_profile(sys.argv[1])["semarize_conversations"]["outputs"]["snowflake"]
    told = ProfileRenderer({}).render_data(told)
    del told["type"], told["threads"]
    SnowflakeCredentials.validate(told)
    read = SnowflakeCredentials.from_dict(told)
    given = read.auth_args()
    credential = {n: given[n] for n in ("password", "token", "authenticator") if given.get(n)}
    if given.get("private_key"):
        credential["private_key"] = "opened"
    names = ("port", "role", "query_tag", "retry_on_database_errors")
    found.append({**{n: getattr(read, n) for n in names}, "credential": credential})
print(json.dumps(found))
"""
