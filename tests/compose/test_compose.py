"""docker-compose.yml, its env files, the Dockerfile: what can be known of them without Docker."""

from __future__ import annotations

import base64
import fnmatch
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose.composefile import (
    ComposeError,
    ComposeFile,
    Service,
    image_environment,
    interpolate,
    names,
    read_env,
    seconds,
)

from semarize_sandbox.server import Sandbox, furnish
from semarize_sandbox.world import World

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
EXAMPLE = ROOT / ".env.example"
SANDBOX = ROOT / ".docker/sandbox.env"
OWN = {"postgres", "redis", "sandbox"}
FERNET = base64.urlsafe_b64encode(b"0" * 32).decode()
# Read by Compose itself, or handed through to Airflow and Python.
ELSEWHERE = re.compile(r"COMPOSE_\w+|AIRFLOW_CONN_\w+|HTTPS_PROXY|NO_PROXY")


def required() -> list[str]:
    """The variables that `.env.example` leaves to be filled in."""
    return [name for name, value in read_env(EXAMPLE, {}).items() if not value]


@pytest.fixture
def filled_in(tmp_path: Path) -> Path:
    """`.env.example`, every gap filled with another value."""
    path = tmp_path / ".env"
    path.write_text("".join(f"{name}=value-of-{name}\n" for name in required()))
    return path


def composed(*env_files: Path) -> ComposeFile:
    return ComposeFile(COMPOSE, env_files)


def test_the_file_is_valid_by_the_specification() -> None:
    checked = subprocess.run(
        [
            Path(sys.executable).parent / "check-jsonschema",
            "--builtin-schema",
            "vendor.compose-spec",
            COMPOSE,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_every_airflow_service_is_the_same_but_for_its_role() -> None:
    raw = composed().raw
    shared = raw["x-airflow"]
    airflow = {n: s for n, s in raw["services"].items() if n not in OWN}
    assert set(airflow) == {
        *(
            "init",
            "api-server",
            "scheduler",
            "dag-processor",
            "triggerer",
            "worker",
            "flower",
            "dashboards",
        )
    }
    its_own = {
        *("command", "depends_on", "deploy", "healthcheck", "ports", "profiles"),
        *("restart", "stop_grace_period"),
    }
    for name, service in airflow.items():
        for key in shared:
            if key not in its_own:
                # The very object: an anchor, and not a copy of its text.
                assert service[key] is shared[key], f"{name}.{key}"
        assert set(service) - set(shared) <= its_own, name
    assert COMPOSE.read_text().count("<<: *airflow\n") == len(airflow)


def test_every_service_says_when_it_is_healthy_and_starts_again(filled_in: Path) -> None:
    services = composed(filled_in, SANDBOX).services()
    assert {name for name, service in services.items() if service.health is None} == {"init"}
    assert {name for name, s in services.items() if s.restart != "unless-stopped"} == {"init"}
    for service in composed(filled_in).in_order():
        for need in service.needs:
            known = services[need.service]
            assert (need.condition == "service_healthy") == (known.health is not None)


def test_profiles_add_the_sandbox_and_flower(filled_in: Path, tmp_path: Path) -> None:
    usual = set(composed(filled_in).services())
    assert set(composed(filled_in, SANDBOX).services()) == {*usual, "sandbox"}
    (tmp_path / "flower.env").write_text("COMPOSE_PROFILES=flower\n")
    assert set(composed(filled_in, tmp_path / "flower.env").services()) == {*usual, "flower"}
    assert usual == {
        *("postgres", "redis", "init", "api-server", "scheduler", "dag-processor"),
        *("triggerer", "worker", "dashboards"),
    }


def test_services_start_after_what_they_need(filled_in: Path) -> None:
    order = [service.name for service in composed(filled_in, SANDBOX).in_order()]
    assert order.index("postgres") < order.index("init") < order.index("api-server")
    assert max(map(order.index, ("sandbox", "redis", "api-server"))) < order.index("worker")


# Secrets and variables


def test_no_secret_stands_in_the_file() -> None:
    found: list[str] = []
    for name, value in composed().raw["x-airflow"]["environment"].items():
        if re.search(r"KEY|SECRET|PASSWORD|AUTH$|CONN$|BACKEND|BROKER_URL", name):
            found.append(name)
            assert re.search(r"\$\{[A-Z_]+[:}]", value), name
            assert not re.search(r"://[^$]*:[^$/]+@", value), name
    assert len(found) >= 8
    for name in ("postgres", "redis"):
        for variable, value in composed().raw["services"][name]["environment"].items():
            if "PASSWORD" in variable or "AUTH" in variable:
                assert re.fullmatch(r"\$\{\w+\}", value), variable


def test_a_forgotten_secret_is_named(filled_in: Path, tmp_path: Path) -> None:
    assert len(required()) == 7
    for name in required():
        lines = filled_in.read_text().splitlines(keepends=True)
        less = tmp_path / "less.env"
        less.write_text("".join(line for line in lines if not line.startswith(f"{name}=")))
        with pytest.raises(ComposeError, match=name):
            composed(less).services()
    composed(filled_in).services()


def test_each_variable_is_explained_and_each_explained_one_is_used() -> None:
    commented = re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", EXAMPLE.read_text(), re.MULTILINE)
    assert len(commented) == len(set(commented))
    used = names(COMPOSE.read_text()) | names((ROOT / ".docker/connections.env").read_text())
    explained = set(commented)
    assert used - explained == set(), "add these to .env.example"
    assert {name for name in explained - used if not ELSEWHERE.fullmatch(name)} == set()
    from semarize_pipeline import vendors

    wanted = {*vendors.names(), "semarize", "warehouse", "state"}
    assert {f"AIRFLOW_CONN_{name.upper()}_DEFAULT" for name in wanted} <= explained


# Connections


def test_the_defaults_in_the_example_are_those_of_the_file(filled_in: Path, tmp_path: Path) -> None:
    text = re.sub(r"^# ([A-Z_]+=[^'.]\S*)$", r"\1", EXAMPLE.read_text(), flags=re.MULTILINE)
    path = tmp_path / "defaults.env"
    path.write_text(
        "\n".join(
            line
            for line in text.splitlines()
            if not line.startswith(("HTTPS_PROXY", "NO_PROXY", "PIPELINE_SETTINGS_FILE"))
        )
        + f"\n{filled_in.read_text()}"
    )
    assert "\nWORKERS=2\n" in path.read_text()
    assert composed(path).services() == composed(filled_in).services()


def connections(service: Service) -> set[str]:
    return {name for name in service.environment if name.startswith("AIRFLOW_CONN_")}


def test_connections_of_the_env_file_reach_every_airflow_service(
    filled_in: Path, tmp_path: Path
) -> None:
    mine = '\'{"conn_type": "snowflake"}\''
    (tmp_path / ".docker").mkdir()
    for name in ("docker-compose.yml", ".docker/connections.env", ".docker/sandbox.env"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    filled_in.write_text(
        f"{filled_in.read_text()}AIRFLOW_CONN_WAREHOUSE_DEFAULT={mine}\n"
        'AIRFLOW_CONN_GONG_DEFAULT=\'{"password": "pa$$word"}\'\n'
        "AIRFLOW__CORE__DEFAULT_TIMEZONE=utc\n"
    )
    path = tmp_path / "docker-compose.yml"
    for name, service in ComposeFile(path, [filled_in]).services().items():
        if name in OWN:
            assert not connections(service)
        else:
            told = service.environment
            assert told["AIRFLOW_CONN_WAREHOUSE_DEFAULT"] == '{"conn_type": "snowflake"}'
            assert told["AIRFLOW_CONN_GONG_DEFAULT"] == '{"password": "pa$$word"}'
            assert "@postgres:5432/state" in told["AIRFLOW_CONN_STATE_DEFAULT"]
            assert told["AIRFLOW__CORE__DEFAULT_TIMEZONE"] == "utc"
    # With the sandbox nothing of it is left, whatever stands in it.
    for name, service in (
        ComposeFile(path, [filled_in, tmp_path / ".docker/sandbox.env"]).services().items()
    ):
        if name not in OWN:
            assert '"duckdb"' in service.environment["AIRFLOW_CONN_WAREHOUSE_DEFAULT"]
            assert "http://sandbox:8090" in service.environment["AIRFLOW_CONN_GONG_DEFAULT"]
            assert "AIRFLOW__CORE__DEFAULT_TIMEZONE" not in service.environment


def test_the_sandboxs_connections_are_those_that_it_takes() -> None:
    told = read_env(SANDBOX, {})
    given = {name: told[name] for name in told if name.startswith("AIRFLOW_CONN_")}
    world = furnish(World())
    assert given == {
        f"AIRFLOW_CONN_{name.upper()}": text
        for name, text in Sandbox(world, "http://sandbox:8090").connections().items()
    }
    assert told["COMPOSE_PROFILES"] == "sandbox"
    assert told["COMPOSE_PROJECT_NAME"] != composed().raw["name"], "its volumes are its own"
    assert (ROOT / told["PIPELINE_SETTINGS_FILE"]).exists()


# The image


def statements() -> list[list[str]]:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    return [line.split() for line in text.splitlines() if line and not line.startswith("#")]


def test_the_image_is_made_of_files_that_exist() -> None:
    copied = [words[1:] for words in statements() if words[0] == "COPY"]
    from_here = [words[:-1] for words in copied if not words[0].startswith("--from")]
    assert len(from_here) >= 6
    for sources in from_here:
        for source in sources:
            assert (ROOT / source).exists(), source
            assert is_sent(source), f".dockerignore leaves {source} out"
    others = [words[1] for words in copied if words[0].startswith("--from")]
    assert others == ["/opt/pipeline/.venv", "/opt/pipeline/.venv-dbt"]
    setup = (ROOT / ".ci/setup.sh").read_text()
    for lock in ("requirements.txt", "dbt/requirements.txt"):
        assert [lock] in from_here
        assert lock in setup
    assert ["USER", "airflow"] in statements()


def is_sent(path: str) -> bool:
    """Whether .dockerignore lets a path into the build: the last line that fits decides."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        parts = path.split("/")
        above = ["/".join(parts[: n + 1]) for n in range(len(parts))]
        short = pattern.removeprefix("**/")
        if any(
            fnmatch.fnmatchcase(part, pattern)
            or (short != pattern and fnmatch.fnmatchcase(part.rpartition("/")[2], short))
            for part in above
        ):
            sent = line.startswith("!")
    return sent


@pytest.mark.parametrize(
    "path",
    [
        *(".env", "include/.env", ".venv/bin/python", ".venv-dbt/bin/dbt", ".runtime/airflow.db"),
        *(".git/config", "dbt/target/manifest.json", "include/x/__pycache__/x.pyc", "tests/x.py"),
        *("x.duckdb", "dbt/x.duckdb", ".docker/sandbox.env"),
    ],
)
def test_secrets_and_leavings_stay_out_of_the_image(path: str) -> None:
    assert not is_sent(path)


def test_the_image_finds_what_it_holds() -> None:
    """The folders of the image are those of a clone, below /opt/pipeline."""
    told = image_environment(ROOT / "Dockerfile")
    found = 0
    for value in told.values():
        for part in value.split(":"):
            if part.startswith("/opt/pipeline/"):
                inside = part.removeprefix("/opt/pipeline/")
                assert inside.startswith(".venv") or (ROOT / inside).exists(), part
                found += 1
    assert found >= 7
    assert told["PYTHONPATH"] == "/opt/pipeline/include:/opt/pipeline/plugins"
    mounts = composed().raw["x-airflow"]["volumes"]
    for mount in mounts[:2]:
        assert mount.split(":")[1] in (ROOT / "Dockerfile").read_text()


# The reader of it all


def test_interpolation_follows_the_specification() -> None:
    told = {"A": "a", "EMPTY": ""}
    assert interpolate("$A ${A} $$A ${B} $B.", told) == "a a $A  ."
    assert interpolate("${EMPTY:-x}${EMPTY-x}${B-x}${B:-${A}b}", told) == "xxab"
    assert interpolate("${A:+x}${EMPTY:+x}${EMPTY+x}${A:?no}", told) == "xxa"
    with pytest.raises(ComposeError, match="B is required: say why"):
        interpolate("${B:?say why}", told)
    with pytest.raises(ComposeError, match="no closing brace"):
        interpolate("${A", told)
    assert names("${A:-$B} $$C ${D:?E}") == {"A", "B", "D"}


def test_env_files_are_read_as_compose_reads_them(tmp_path: Path) -> None:
    (tmp_path / "x.env").write_text(
        "# a comment\n\nA=1\nB=\"${A}2\"\nC='${A} \\'q\\' # kept'\nD=$A $$ # gone\nE=\n"
    )
    assert read_env(tmp_path / "x.env", {}) == {
        **{"A": "1", "B": "12", "C": "${A} 'q' # kept", "D": "1 $", "E": ""}
    }
    (tmp_path / "x.env").write_text("no line\n")
    with pytest.raises(ComposeError, match="line 1"):
        read_env(tmp_path / "x.env", {})


def test_what_the_reader_does_not_know_it_refuses(tmp_path: Path) -> None:
    def reads(service: dict[str, Any]) -> None:
        (tmp_path / "x.yml").write_text(yaml.safe_dump({"services": {"a": service}}))
        ComposeFile(tmp_path / "x.yml").in_order()

    reads({"image": "x"})
    with pytest.raises(ComposeError, match="privileged"):
        reads({"image": "x", "privileged": True})
    with pytest.raises(ComposeError, match="a needs b"):
        reads({"image": "x", "depends_on": {"b": {"condition": "service_healthy"}}})
    with pytest.raises(ComposeError, match="a -> a"):
        reads({"image": "x", "depends_on": {"a": {"condition": "service_healthy"}}})
    assert (seconds("1m30s"), seconds("2h")) == (90, 7200)
    with pytest.raises(ComposeError, match="no duration"):
        seconds("soon")
