"""`make bench`: the pipeline beside its physical limit and beside dlt, on the same work.

    make bench                                # the short scenarios, three rounds
    make bench ARGS="gong-2500 --rounds 5"    # one of them
    make bench ARGS="long"                    # 25,000 conversations, the whole job, dbt

Contenders are commands, and start from nothing in each round. In one run they take turns, first
forwards, then backwards, so that a machine whose speed drifts drifts for all of them: only
figures of one run may be compared. After each step the file that a contender wrote is opened and
compared with what the server holds; a wrong fact fails the whole command.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from calls import BEGAN, NEW

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PYTHON = ROOT / ".venv/bin/python"
DLT_PYTHON = ROOT / ".venv-bench/bin/python"
DBT = ROOT / ".venv-dbt/bin/dbt"
FERNET = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
# Beyond what any contender reaches here, so that nobody's pace is what is measured.
UNHURRIED = 5000.0
# Salesloft's 600 a minute, enforced over ten seconds, and the pace that its file promises.
ALLOWED, WITHIN_SECONDS, PROMISED = 100, 10.0, 9.5
SAMPLE_SECONDS = 0.05


# ---------------------------------------------------------------------- what is compared


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of work. ``steps`` are done one after the other by each contender."""

    name: str
    title: str
    shape: str
    conversations: int
    contenders: tuple[str, ...]
    steps: tuple[str, ...] = ("full",)
    switches: dict[str, float] = field(default_factory=dict)
    per_second: float = UNHURRIED
    floor_seconds: float | None = None
    rounds: int | None = None


KINDS = "gong-<n>, salesloft-<n>-<latency>ms, limited-<n>, score-<n>, task-<n>, whole-<n>"
SHORT = ("gong-2500", "salesloft-2500-0ms", "salesloft-2500-30ms", "task-2500")
LONG = ("gong-25000", "limited-300", "score-2500", "whole-2500")


def scenario(name: str) -> Scenario:
    """The scenario of a name such as ``gong-2500``: any number will do."""
    if found := re.fullmatch(r"gong-(\d+)", name):
        count = int(found[1])
        return Scenario(
            name,
            f"Gong's shape, {count:,} conversations",
            "gong",
            count,
            ("limit", "dlt", "ours"),
            ("full", "nothing new", f"{NEW} new"),
        )
    if found := re.fullmatch(r"salesloft-(\d+)-(\d+)ms", name):
        count, latency = int(found[1]), int(found[2])
        return Scenario(
            name,
            f"Salesloft's shape, {count:,} conversations, {latency} ms a request",
            "salesloft",
            count,
            ("limit", "limit-requests", "dlt", "ours"),
            switches={"latency_ms": latency},
        )
    if found := re.fullmatch(r"limited-(\d+)", name):
        count, rate = int(found[1]), ALLOWED / WITHIN_SECONDS
        return Scenario(
            name,
            f"Salesloft's shape, {count:,} conversations, {ALLOWED} requests in any "
            f"{WITHIN_SECONDS:.0f} s allowed",
            "salesloft",
            count,
            ("ours",),
            switches={"allowed": ALLOWED, "within_seconds": WITHIN_SECONDS},
            per_second=PROMISED,
            floor_seconds=(count + -(-count // 100)) / rate,
            rounds=1,
        )
    if found := re.fullmatch(r"score-(\d+)", name):
        count = int(found[1])
        return Scenario(
            name,
            f"Scoring {count:,} conversations at 1 s a run, 64 at a time",
            "gong",
            count,
            ("limit-score", "ours-score"),
            ("score",),
            switches={"run_ms": 1000},
            floor_seconds=-(-count // 64) * 1.0,
            rounds=1,
        )
    if found := re.fullmatch(r"task-(\d+)", name):
        count = int(found[1])
        return Scenario(
            name,
            f"The same work as an Airflow task, Gong's shape, {count:,} conversations",
            "gong",
            count,
            ("ours", "ours-task"),
        )
    if found := re.fullmatch(r"whole-(\d+)", name):
        count = int(found[1])
        return Scenario(
            name,
            f"The whole job: extract, land, score at once, dbt; {count:,} conversations",
            "gong",
            count,
            ("ours-whole",),
            ("whole",),
            rounds=1,
        )
    raise SystemExit(f"there is no scenario {name!r}; there are {KINDS}, short, long and all")


COMMANDS: dict[str, tuple[Path, str, dict[str, str]]] = {
    "limit": (PYTHON, "limit.py", {}),
    "limit-requests": (PYTHON, "limit.py", {"LIMIT_HTTP": "requests"}),
    "dlt": (DLT_PYTHON, "dlt_pipeline.py", {}),
    "ours": (PYTHON, "function.py", {}),
    "ours-task": (PYTHON, "task.py", {}),
    "ours-whole": (PYTHON, "task.py", {}),
    "limit-score": (PYTHON, "limit_score.py", {}),
    "ours-score": (PYTHON, "function.py", {}),
    "ours-by-stage": (PYTHON, "by_stage.py", {}),
}


# ---------------------------------------------------------------------- the server


class Server:
    """The local server of one scenario, in a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.url}/control/{path}", data, timeout=60) as answer:
            told: dict[str, Any] = json.load(answer)
        return told


@contextmanager
def serving(shape: str, count: int) -> Iterator[Server]:
    command = [PYTHON, HERE / "server.py", "--calls", str(count), "--shape", shape]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment({})
    )
    assert process.stdin
    assert process.stdout
    try:
        line = process.stdout.readline()
        if not line:
            raise SystemExit("the server did not start; its error stands above")
        yield Server(process, int(line))
    finally:
        process.stdin.close()
        process.wait(timeout=20)
        process.stdout.close()


def ceiling(server: Server, request: bytes, seconds: float = 1.0, deep: int = 32) -> str:
    """How fast the server answers a client that costs nothing: requests are pipelined."""
    with socket.create_connection(("127.0.0.1", server.port)) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire.sendall(request)
        answer = wire.recv(1 << 20)
        head, _, _ = answer.partition(b"\r\n\r\n")
        size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]) + len(head) + 4
        left = size - len(answer)
        while left:
            left -= len(wire.recv(min(left, 1 << 20)))
        answers, began = 0, time.perf_counter()
        buffer = bytearray(1 << 20)
        while time.perf_counter() - began < seconds:
            wire.sendall(request * deep)
            left = size * deep
            while left:
                left -= wire.recv_into(buffer, min(left, len(buffer)))
            answers += deep
        took = time.perf_counter() - began
    return f"{answers / took:,.0f} answers/s, {answers * size / took / 1e6:,.0f} MB/s"


def http(method: str, path: str, body: bytes = b"") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nIdempotency-Key: ceiling\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def ceilings() -> None:
    """Print what the server alone can do, to be held against what the contenders ask for."""
    print("The server alone (one core, shared with its client here):")
    with serving("gong", 200) as server:
        ids = [str(7782342274025930000 + n) for n in range(100)]
        asked = json.dumps({"filter": {"callIds": ids}}).encode()
        request = http("POST", "/v2/calls/transcript", asked)
        print(f"  transcripts of 100 calls  {ceiling(server, request, deep=4)}")
        run = b'{"mode":"sync","input":{"transcript":"' + b"x" * 10_000 + b'"}}'
        print(f"  a run of 10 KB            {ceiling(server, http('POST', '/v1/runs', run))}")
    with serving("salesloft", 200) as server:
        request = http("GET", "/v2/conversations/120007/transcription/sentences")
        print(f"  sentences of one          {ceiling(server, request)}")
    print()


# ---------------------------------------------------------------------- one measured run


@dataclass(slots=True)
class Measure:
    """What one step of one contender took."""

    wall: float
    cpu: float
    peak_mb: float
    requests: int
    refused: int
    server_cpu: float
    phases: dict[str, float]


def environment(more: dict[str, str]) -> dict[str, str]:
    """A clean one: byte code is kept, as wherever this runs, and nothing leaks from the shell."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR")}
    path = [ROOT / "include", ROOT / "plugins", HERE, HERE / "contenders"]
    return {**kept, "PYTHONPATH": os.pathsep.join(map(str, path)), "PYTHONSAFEPATH": "1", **more}


def measure(server: Server, contender: str, told: dict[str, Any], folder: Path) -> Measure:
    python, script, more = COMMANDS[contender]
    if contender in ("ours-task", "ours-whole"):
        more = airflow_environment(folder, told)
    before = server.ask("stats")
    log = folder / "log.txt"
    with log.open("ab") as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            [python, HERE / "contenders" / script, json.dumps(told)],
            env=environment(more),
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=folder,
        )
        watch = Watch(process.pid)
        assert process.stdout
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        watch.end()
        process.stdout.close()
    if process.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
        raise SystemExit(f"{contender} ended with {process.returncode}:\n{tail}")
    report = json.loads(said.splitlines()[-1])
    after = server.ask("stats")
    return Measure(
        wall=wall,
        cpu=usage.ru_utime + usage.ru_stime,
        peak_mb=max(report["peak_kb"], watch.peak_kb) / 1024,
        requests=after["requests"],
        refused=after["refused"],
        server_cpu=after["cpu_seconds"] - before["cpu_seconds"],
        phases={**report["phases"], **report.get("tasks", {})},
    )


class Watch(threading.Thread):
    """The memory of a process and all its descendants together, sampled."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_kb = 0
        self._pid = pid
        self._over = threading.Event()
        self.start()

    def end(self) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            self.peak_kb = max(self.peak_kb, sum(map(resident_kb, tree(self._pid))))


def tree(pid: int) -> list[int]:
    found = [pid]
    for each in found:
        for children in Path(f"/proc/{each}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:
                continue  # it has ended
    return found


def resident_kb(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4
    except (OSError, IndexError):
        return 0


def airflow_environment(folder: Path, told: dict[str, Any]) -> dict[str, str]:
    """An Airflow of this run's own, migrated beforehand; connections in the environment."""
    home = folder / "airflow"
    dags = ROOT / "dags" if told["step"] == "whole" else HERE / "contenders" / "dags"
    base = told["base_url"]
    connections = {
        "gong_default": {"conn_type": "http", "host": base, "login": "k", "password": "bench-key"},
        "semarize_default": {"conn_type": "http", "host": base, "password": "smz_live_bench"},
        "state_default": {"conn_type": "sqlite", "host": f"{folder}/state.db"},
        "warehouse_default": {"conn_type": "duckdb", "host": f"{folder}/warehouse.duckdb"},
    }
    made = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__FERNET_KEY": FERNET,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "PIPELINE_SETTINGS": told["settings"],
        "DBT_BIN": str(DBT),
        **{f"AIRFLOW_CONN_{k.upper()}": json.dumps(v) for k, v in connections.items()},
    }
    if not home.exists():
        home.mkdir()
        command = [PYTHON, "-m", "airflow", "db", "migrate"]
        subprocess.run(command, env=environment(made), check=True, capture_output=True)
    return made


# ---------------------------------------------------------------------- what landed

FACTS = """
select
    (select count(*) from {heads}) as conversations,
    (select count(distinct {id}) from {heads}) as distinct_conversations,
    (select coalesce(sum(epoch(started_at)), 0)::bigint from {heads}) as started,
    (select count(*) from {lines}) as utterances,
    (select count(distinct ({id}, {seq})) from {lines}) as distinct_utterances,
    (select coalesce(sum(length(text)), 0)::bigint from {lines}) as text,
    (select coalesce(sum({start}), 0)::bigint from {lines}) as start_ms
"""
WHERE = {
    "limit": ("limit.duckdb", "", ""),
    "limit-requests": ("limit.duckdb", "", ""),
    "dlt": ("dlt.duckdb", "calls.", ""),
}


def check(contender: str, told: dict[str, Any], folder: Path, server: Server) -> None:
    """Compare what landed with what the server holds; end everything where they differ."""
    file, schema, names = WHERE.get(contender, ("warehouse.duckdb", "landing.", told["shape"]))
    with duckdb.connect(str(folder / file), read_only=True) as database:
        if contender == "limit-score":
            return  # it lands nothing
        if told["step"] == "score":
            found = facts(
                database,
                "select count(*) as runs, count(distinct idempotency_key) as keys, "
                "count(distinct conversation_id) as conversations from landing.semarize__runs "
                "where status = 'succeeded'",
            )
            wanted = dict.fromkeys(found, told["conversations"])
        else:
            prefix = f"{schema}{names}__" if names else schema
            ours = bool(names)
            found = facts(
                database,
                FACTS.format(
                    heads=f"{prefix}conversations",
                    lines=f"{prefix}utterances",
                    id="conversation_id" if ours else "id",
                    seq="position" if ours else "seq",
                    start="round(start_seconds * 1000)" if ours else "start_ms",
                ),
            )
            wanted = server.ask("facts")
            wanted["distinct_conversations"] = wanted["conversations"]
            wanted["distinct_utterances"] = wanted["utterances"]
    if told["step"] == "score":
        found["paid"], wanted["paid"] = server.ask("stats")["paid"], told["conversations"]
    if found != wanted:
        raise SystemExit(f"{contender}, {told['step']}: landed {found}, and there are {wanted}")


def facts(database: duckdb.DuckDBPyConnection, sql: str) -> dict[str, int]:
    cursor = database.execute(sql)
    row = cursor.fetchone()
    return dict(zip([d[0] for d in cursor.description], row or (), strict=True))


# ---------------------------------------------------------------------- scenarios

SETTINGS = """
[extract]
start = {start}
[score]
mode = "sync"
at_once = 64
requests_per_second = {per_second}
[kits.interaction_quality]
code = "C5A1E07B"
"""


def run(chosen: Scenario, rounds: int, only: Sequence[str], base: Path) -> dict[str, Any]:
    """Every contender, round by round; gives the measures by step and contender."""
    contenders = [c for c in chosen.contenders if not only or c in only]
    measures: dict[str, dict[str, list[Measure]]] = {
        step: {c: [] for c in contenders} for step in chosen.steps
    }
    settings = base / "pipeline.toml"
    settings.write_text(SETTINGS.format(start=BEGAN.isoformat(), per_second=UNHURRIED))
    with serving(chosen.shape, chosen.conversations) as server:
        landed = None
        if "score" in chosen.steps:
            landed = base / "landed"
            landed.mkdir()
            step(server, chosen, "ours", "full", landed, settings)
        for number in range(rounds):
            for contender in contenders if number % 2 == 0 else contenders[::-1]:
                folder = base / f"{number}-{contender}"
                if landed:
                    shutil.copytree(landed, folder)
                else:
                    folder.mkdir()
                for name in chosen.steps:
                    made = step(server, chosen, contender, name, folder, settings)
                    measures[name][contender].append(made)
                shutil.rmtree(folder)
    return measures


def step(
    server: Server, chosen: Scenario, contender: str, name: str, folder: Path, settings: Path
) -> Measure:
    shown = chosen.conversations + (NEW if name == f"{NEW} new" else 0)
    switches = {"shown": shown, **chosen.switches} if name != "landed" else {"shown": shown}
    server.ask("set", switches)
    last = datetime.fromisoformat(server.ask("stats")["until"])
    # Behind Gong's lag; a run with nothing new is the next hour's.
    until = last + timedelta(hours=3 if name == "nothing new" else 2)
    told = {
        "step": name,
        "shape": chosen.shape,
        "base_url": server.url,
        "folder": str(folder),
        "start": BEGAN.isoformat(),
        "until": until.isoformat(),
        "settings": str(settings),
        "per_second": chosen.per_second,
        "conversations": shown,
    }
    made = measure(server, contender, told, folder)
    check(contender, told, folder, server)
    return made


def show(chosen: Scenario, measures: dict[str, dict[str, list[Measure]]]) -> None:
    """The table of one scenario, as Markdown."""
    print(f"**{chosen.title}** (`{chosen.name}`)\n")
    if chosen.floor_seconds:
        print(f"Floor: {chosen.floor_seconds:.1f} s.\n")
    print("| step | contender | wall s | min-max | wall x | CPU s | CPU x | requests | "
          "peak MB | server CPU s |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, by_contender in measures.items():
        base: tuple[float, float] | None = None
        for contender, made in by_contender.items():
            wall = statistics.median(m.wall for m in made)
            cpu = statistics.median(m.cpu for m in made)
            base = base or (chosen.floor_seconds or wall, cpu)
            span = f"{min(m.wall for m in made):.2f}-{max(m.wall for m in made):.2f}"
            refused = max(m.refused for m in made)
            requests = f"{made[-1].requests:,}" + (f" ({refused} x 429)" if refused else "")
            print(
                f"| {name} | {contender} | {wall:.2f} | {span} | {wall / base[0]:.2f} "
                f"| {cpu:.2f} | {cpu / base[1]:.2f} | {requests} "
                f"| {max(m.peak_mb for m in made):.0f} "
                f"| {statistics.median(m.server_cpu for m in made):.2f} |"
            )
    print()
    for name, by_contender in measures.items():
        for contender, made in by_contender.items():
            middle = sorted(made, key=lambda m: m.wall)[len(made) // 2]
            told = ", ".join(f"{phase} {took:.2f}" for phase, took in middle.phases.items())
            print(f"- {name}, {contender}: {told} s")
    print(flush=True)


def machine() -> str:
    told = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.split(":")[1].strip() for line in told if "model name" in line)
    model = next(names, platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} x {model}, {memory:.0f} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}, DuckDB {duckdb.__version__}; load before: "
        f"{os.getloadavg()[0]:.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=f"scenarios: {KINDS}; short, long, all")
    parser.add_argument("scenarios", nargs="*", default=["short"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--contenders", default="", help="only these, separated by commas")
    parser.add_argument(
        "--stages", action="store_true", help="ours once more, with the CPU seconds of its stages"
    )
    parser.add_argument("--no-ceiling", action="store_true", help="do not measure the server")
    given = parser.parse_args()
    names: list[str] = []
    for name in given.scenarios or ["short"]:
        groups = {"short": SHORT, "long": LONG, "all": (*SHORT, *LONG)}
        names += groups.get(name, (name,))
    chosen = [scenario(name) for name in dict.fromkeys(names)]
    if given.stages:
        chosen = [replace(c, contenders=(*c.contenders, "ours-by-stage")) for c in chosen]
    if sys.platform != "linux":
        raise SystemExit("memory is read from /proc: this runs on Linux only")
    print(f"{machine()}\n")
    if os.getloadavg()[0] > (os.cpu_count() or 1) / 2:
        print("This machine is busy with something else: compare CPU seconds, not wall.\n")
    if not given.no_ceiling:
        ceilings()
    only = [c for c in given.contenders.split(",") if c]
    for each in chosen:
        with tempfile.TemporaryDirectory(prefix="bench-") as base:
            show(each, run(each, min(given.rounds, each.rounds or 99), only, Path(base)))


if __name__ == "__main__":
    main()
