"""docker-compose.yml as Docker Compose reads it: env files, interpolation, anchors, profiles.

As much of the Compose specification as the project's file uses; what it does not know it refuses,
so that nothing in the file is passed over in silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_UNITS = {"s": 1, "m": 60, "h": 3600}
_KNOWN = {
    *("build", "command", "depends_on", "deploy", "env_file", "environment", "healthcheck"),
    *("image", "init", "logging", "ports", "profiles", "restart", "stop_grace_period", "volumes"),
}


class ComposeError(Exception):
    """Why Compose would not start this."""


# Interpolation


def names(text: str) -> set[str]:
    """The variables that a text refers to."""
    found: set[str] = set()
    interpolate(text, _Recorder(found))
    return found


class _Recorder(dict[str, str]):
    """Every variable is set, to nothing in particular, and noted."""

    def __init__(self, found: set[str]) -> None:
        super().__init__()
        self._found = found

    def __contains__(self, name: object) -> bool:
        self._found.add(str(name))
        return True

    def __getitem__(self, name: str) -> str:
        self._found.add(name)
        return "x"

    def get(self, name: str, default: Any = None) -> Any:
        return self[name]


def interpolate(text: str, variables: Mapping[str, str]) -> str:
    """``$NAME``, ``${NAME}``, ``${NAME:-default}``, ``${NAME:?error}``, ``${NAME:+other}``, ``$$``.

    Defaults may hold variables themselves. Raises ComposeError for what is required and not there.
    """
    made, position = "", 0
    while (dollar := text.find("$", position)) >= 0:
        made += text[position:dollar]
        after = text[dollar + 1 : dollar + 2]
        if after == "$":
            made, position = f"{made}$", dollar + 2
        elif after == "{":
            end = _closing(text, dollar + 1)
            made += _value(text[dollar + 2 : end], variables)
            position = end + 1
        elif plain := _NAME.match(text, dollar + 1):
            made += variables.get(plain.group(), "")
            position = plain.end()
        else:
            raise ComposeError(f"a single $ in {text!r}; write $$")
    return made + text[position:]


def _closing(text: str, opening: int) -> int:
    depth = 0
    for position in range(opening, len(text)):
        if text[position] == "{":
            depth += 1
        elif text[position] == "}":
            depth -= 1
            if depth == 0:
                return position
    raise ComposeError(f"no closing brace in {text!r}")


def _value(expression: str, variables: Mapping[str, str]) -> str:
    found = _NAME.match(expression)
    if found is None:
        raise ComposeError(f"${{{expression}}} names no variable")
    name, rest = found.group(), expression[found.end() :]
    given = variables.get(name) if name in variables else None
    if not rest:
        return given or ""
    # With a colon, a variable that is set to nothing counts as not set.
    is_there = bool(given) if rest.startswith(":") else given is not None
    operator, word = rest.removeprefix(":")[:1], interpolate(rest.removeprefix(":")[1:], variables)
    if operator == "-":
        return str(given) if is_there else word
    if operator == "+":
        return word if is_there else ""
    if operator == "?":
        if not is_there:
            raise ComposeError(f"{name} is required: {word}")
        return str(given)
    raise ComposeError(f"${{{expression}}} is not a form of interpolation")


def read_env(path: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """An env file: single quotes keep all, double quotes and bare values are interpolated."""
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        told = _LINE.fullmatch(text)
        if told is None:
            raise ComposeError(f"{path.name}, line {number} is no NAME=value")
        name, value = told.groups()
        quote = value[:1]
        if quote and quote in "'\"":
            if len(value) < 2 or value[-1] != quote:
                raise ComposeError(f"{path.name}, line {number}: no closing quote")
            value = value[1:-1].replace(f"\\{quote}", quote)
        else:
            value = re.split(r"\s+#", value, maxsplit=1)[0]
        if quote != "'":
            value = interpolate(value, {**variables, **found})
        found[name] = value
    return found


# The file


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How a service says that it is ready; times in seconds."""

    command: list[str]
    interval: float
    timeout: float
    retries: int
    start_period: float
    start_interval: float


@dataclass(frozen=True, slots=True)
class Need:
    """What must have happened to another service before this one starts."""

    service: str
    condition: str
    required: bool


@dataclass(frozen=True, slots=True)
class Service:
    """One service, everything in it filled in."""

    name: str
    image: str
    is_built: bool
    command: list[str]
    environment: dict[str, str]
    mounts: dict[str, str]
    needs: list[Need]
    health: HealthCheck | None
    profiles: frozenset[str]
    replicas: int
    restart: str
    stop_seconds: float


class ComposeFile:
    """A compose file with the variables of its env files.

    :param env_files: as for ``--env-file``: the later one wins.
    """

    def __init__(self, path: Path, env_files: Sequence[Path] = ()) -> None:
        self.path = path
        self.raw: dict[str, Any] = yaml.safe_load(path.read_text())
        self.variables: dict[str, str] = {}
        for file in env_files:
            self.variables |= read_env(file, self.variables)
        told = self.variables.get("COMPOSE_PROFILES", "")
        self.profiles = frozenset(filter(None, told.split(",")))

    def services(self) -> dict[str, Service]:
        """The services of the active profiles."""
        made = {name: self._service(name, told) for name, told in self.raw["services"].items()}
        return {
            name: service
            for name, service in made.items()
            if not service.profiles or service.profiles & self.profiles
        }

    def in_order(self) -> list[Service]:
        """Each after those that it needs. Raises ComposeError for one that is missing."""
        services = self.services()
        done: dict[str, Service] = {}

        def add(name: str, path: tuple[str, ...]) -> None:
            if name in path:
                raise ComposeError(f"{' -> '.join([*path, name])} is a circle")
            for need in services[name].needs:
                if need.service in services:
                    add(need.service, (*path, name))
                elif need.required:
                    raise ComposeError(f"{name} needs {need.service}, which is not there")
            done[name] = services[name]

        for name in services:
            add(name, ())
        return list(done.values())

    def _service(self, name: str, told: Mapping[str, Any]) -> Service:
        unknown = set(told) - _KNOWN
        if unknown:
            raise ComposeError(f"{name}: this reader does not know {sorted(unknown)}")
        filled = self._filled(told)
        environment: dict[str, str] = {}
        for entry in filled.get("env_file", []):
            file = self.path.parent / entry["path"]
            if file.exists() or entry.get("required", True):
                environment |= read_env(file, {**self.variables, **environment})
        environment |= {key: str(value) for key, value in filled.get("environment", {}).items()}
        mounts = {}
        for mount in filled.get("volumes", []):
            source, target = mount.split(":")[:2]
            mounts[target] = source
        return Service(
            name=name,
            image=filled["image"],
            is_built="build" in filled,
            command=[str(word) for word in filled.get("command", [])],
            environment=environment,
            mounts=mounts,
            needs=[
                Need(other, need["condition"], need.get("required", True))
                for other, need in filled.get("depends_on", {}).items()
            ],
            health=_health(filled["healthcheck"]) if "healthcheck" in filled else None,
            profiles=frozenset(filled.get("profiles", [])),
            replicas=int(filled.get("deploy", {}).get("replicas", 1)),
            restart=filled.get("restart", "no"),
            stop_seconds=seconds(filled.get("stop_grace_period", "10s")),
        )

    def _filled(self, value: Any) -> Any:
        if isinstance(value, str):
            return interpolate(value, self.variables)
        if isinstance(value, Mapping):
            return {key: self._filled(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._filled(inner) for inner in value]
        return value


def seconds(text: str) -> float:
    """Compose's durations: ``90s``, ``1m30s``."""
    parts = re.findall(r"(\d+)([smh])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ComposeError(f"{text!r} is no duration")
    return float(sum(int(number) * _UNITS[unit] for number, unit in parts))


def _health(told: Mapping[str, Any]) -> HealthCheck:
    kind, *rest = told["test"]
    if kind not in ("CMD", "CMD-SHELL"):
        raise ComposeError(f"a health check of the kind {kind}")
    return HealthCheck(
        command=list(rest) if kind == "CMD" else ["/bin/sh", "-c", *rest],
        interval=seconds(told["interval"]),
        timeout=seconds(told["timeout"]),
        retries=int(told["retries"]),
        start_period=seconds(told["start_period"]),
        start_interval=seconds(told["start_interval"]),
    )


def image_environment(dockerfile: Path) -> dict[str, str]:
    """What the last stage's ENV statements set."""
    text = dockerfile.read_text().replace("\\\n", " ")
    found: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith("FROM "):
            found = {}
        elif line.startswith("ENV "):
            found |= dict(word.split("=", 1) for word in line.split()[1:])
    return found
