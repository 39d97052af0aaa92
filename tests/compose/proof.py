"""`make test-celery`: two Celery workers, one is killed; nothing is lost, doubled or paid twice.

Starts the services of docker-compose.yml with the profile `sandbox` (see topology.py), runs every
DAG of the project through the CeleryExecutor, kills a worker in the middle of scoring, and then
reads what the sandbox, both databases and the warehouse say. Ends by itself, and ends everything
that it started, also on Ctrl-C.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import sys
import threading
import time
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import filelock
import psycopg2
import requests
from compose.composefile import ComposeFile
from compose.topology import ROOT, Container, Topology, Trouble, end_leftovers, environment_lines

from semarize_airflow.local.environment import Runtime
from semarize_airflow.local.report import aligned
from semarize_airflow.pools import POOLS
from semarize_pipeline import settings, vendors
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse

CONVERSATIONS = {f"conversations__{vendor}": vendor for vendor in vendors.names()}
SHARED_KEY = "gong"
# So long may any wait last, also where something else has the machine.
LONGEST_SECONDS = 1200.0
# Each question to Airflow's API is work for this machine too.
PAUSE_SECONDS = 2.0
# Long enough to be killed in the middle of it, and for the slow ones to be handed to the triggerer.
SLOW_RUNS = {"run_seconds": 5.0, "slow_share": 0.1, "slow_seconds": 40.0}
QUICK_RUNS = {"run_seconds": 0.0, "slow_share": 0.0}


class Proof:
    """One run of it, and what it has found out so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.begun = time.monotonic()
        self.password = secrets.token_hex(16)
        self.database_password = secrets.token_hex(16)
        env = folder / ".env"
        env.write_text(environment_lines(self._filled_in()))
        env.chmod(0o600)
        dags = folder / "dags"
        shutil.copytree(ROOT / "dags", dags, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(Path(__file__).parent / "dags/one_key.py", dags)
        file = ComposeFile(ROOT / "docker-compose.yml", [env, ROOT / ".docker/sandbox.env"])
        self.topology = Topology(file, folder, dags, self.say)
        self.airflow = Airflow(self.topology, self.password)
        self.sandbox = f"http://127.0.0.1:{self.topology.port('sandbox')}"
        self.session = requests.Session()
        self.session.trust_env = False  # No proxy between two programs of one machine.
        self.watch = Watch(self)

    def _filled_in(self) -> dict[str, str]:
        """`.env.example`, filled in."""
        return {
            "AIRFLOW__CORE__FERNET_KEY": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
            "POSTGRES_PASSWORD": self.database_password,
            "REDIS_PASSWORD": secrets.token_hex(16),
            "FLOWER_LOGIN": f"admin:{secrets.token_hex(8)}",
            "AIRFLOW_PASSWORDS": json.dumps({"admin": self.password}),
            "WORKERS": "2",
            "SANDBOX_DAYS": "6",
            # Models and snapshots without their tests, which the demo's build runs: here it
            # matters who builds, and when.
            "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test test",
            # Else one would wait here for five minutes.
            "DEAD_TASK_SECONDS": "25",
            "LOST_TASK_SECONDS": "30",
        }

    def say(self, line: str) -> None:
        print(f"{time.monotonic() - self.begun:6.1f} s  {line}", flush=True)

    def run(self) -> bool:
        self.say(f"the logs are in {self.topology.logs}")
        with self.topology.running():
            self.say("all services are healthy")
            self.prepare()
            self.watch.start()
            try:
                victim = self.kill_a_worker()
                self.topology.restart(victim.worker)
                self.topology.await_health(victim.worker)
                self.share_a_key()
                self.finish(victim)
            finally:
                self.watch.stop()
            vendors_table, vendors_hold = self.conversations(victim)
            checks = self.checks(victim)
        rows = [["check", "expected", "found", ""], *(check.row() for check in checks)]
        for table in (vendors_table, rows):
            print("\n" + "\n".join(aligned(table)))
        return vendors_hold and all(check.holds for check in checks)

    # What happens

    def prepare(self) -> None:
        """Make scoring slow, and begin every vendor's DAG."""
        self.tell("/control/clock", {"behind_hours": 1})
        self.tell("/control/settings", {"vendor": "semarize", "switches": SLOW_RUNS})
        self.airflow.await_dags([*CONVERSATIONS, "scorecards", "one_key"])
        for dag_id in CONVERSATIONS:
            self.airflow.unpause(dag_id)
        # Besides the scheduled run, which an unpaused DAG has at once.
        self.airflow.trigger(f"conversations__{SHARED_KEY}")
        self.say("the vendors' DAGs are on")

    def kill_a_worker(self) -> Victim:
        """Wait until a worker is in the middle of scoring, with runs bought, and kill it."""
        worker, vendor, open_runs = self.wait(
            "a worker in the middle of scoring", self.in_the_middle
        )
        members = worker.members()
        count = self.topology.kill(worker)
        # Whatever of it Airflow still believes to run: nobody can end these any more.
        running = self.airflow.task_instances(state="running")
        killed = [
            (ti["dag_id"], ti["dag_run_id"], ti["task_id"])
            for ti in running
            if ti["pid"] in members
        ]
        self.say(
            f"{worker.name} killed ({count} processes) while it ran "
            f"{', '.join(f'{dag_id}.{task_id}' for dag_id, _, task_id in killed)}, "
            f"with {open_runs} runs of {vendor} under way"
        )
        return Victim(worker, killed)

    def in_the_middle(self) -> tuple[Container, str, int] | None:
        running = self.airflow.task_instances(state="running")
        for worker in self.workers():
            members = worker.members()
            for ti in running:
                vendor = CONVERSATIONS.get(ti["dag_id"])
                is_score = ti["task_id"] == "score" and vendor not in (None, SHARED_KEY)
                if not is_score or ti["pid"] not in members:
                    continue
                open_runs = self.state(
                    "select count(*) from semarize_runs where vendor = %s and status = 'running'",
                    vendor,
                )[0][0]
                if open_runs:
                    return worker, str(vendor), open_runs
        return None

    def share_a_key(self) -> None:
        """Several tasks on both workers, and Gong's own DAG beside them, with one key."""
        before = self.statistics(SHARED_KEY)["requests"]
        begun = time.monotonic()
        self.airflow.unpause("one_key")
        run = self.airflow.trigger("one_key")
        self.airflow.trigger(f"conversations__{SHARED_KEY}")
        self.wait(
            "the tasks that share Gong's key",
            lambda: self.airflow.run_state("one_key", run) in ("success", "failed"),
        )
        asked = self.statistics(SHARED_KEY)["requests"] - before
        self.watch.shared_rate = asked / (time.monotonic() - begun)
        self.watch.sharers = self.airflow.results("one_key", run, "ask")
        self.say(f"{asked} requests with one key, by {dict(Counter(self.watch.sharers))}")

    def finish(self, victim: Victim) -> None:
        """Let the killed tasks be tried again, and the scorecards be built from what landed."""
        self.wait("a task that hands its worker back", lambda: self.watch.deferred)
        self.say(f"in the triggerer: {', '.join(sorted(self.watch.deferred))}")
        # Nothing new from now on, so that counts can be compared; what is slow ends at once.
        now = datetime.fromisoformat(self.control()["now"])
        self.tell("/control/settings", {"vendor": "semarize", "switches": QUICK_RUNS})
        self.tell("/control/clock", {"freeze": (now + timedelta(minutes=1)).isoformat()})
        for dag_id in CONVERSATIONS:
            self.airflow.trigger(dag_id)
        killed = {dag_id for dag_id, _, _ in victim.keys}
        self.wait("the DAGs that no worker was killed in", lambda: not self.unfinished() - killed)
        # From here on what lands starts it; before, each of them would have.
        self.airflow.unpause("scorecards")
        self.wait("the killed tasks to be tried again", lambda: not self.unfinished())
        if len(set(self.in_the_marts())) > 1:
            # They were being built while the last rows landed.
            self.airflow.trigger("scorecards")
            self.wait("the last scorecards", lambda: not self.unfinished())

    def unfinished(self) -> set[str]:
        """The DAGs with a run that has not ended."""
        for container in self.topology.containers.values():
            self.topology.check_alive(container)
        return {
            run["dag_id"]
            for run in self.airflow.dag_runs()
            if run["state"] not in ("success", "failed")
        }

    def in_the_marts(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Conversations and runs: as they landed, and as the scorecards' models have them."""
        with self.warehouse() as counted:
            return (
                counted("select count(*) n from landing.ledger where status <> 'private'"),
                counted("select count(*) n from landing.semarize__runs"),
            ), (
                counted("select count(*) n from marts.fct_conversations"),
                counted("select count(*) n from marts.fct_scoring_runs"),
            )

    # What is then so

    def checks(self, victim: Victim) -> list[Check]:
        runs = self.airflow.dag_runs()
        tries = self.airflow.tries(victim.keys)
        ran = {run["dag_id"] for run in runs}
        started_by_scores = [run for run in runs if run["run_type"] == "asset_triggered"]
        made = [
            Check("DAGs without a run", 0, len({*CONVERSATIONS, "scorecards", "one_key"} - ran)),
            Check("DAG runs that did not succeed", 0, sum(r["state"] != "success" for r in runs)),
            Check("tasks were killed", True, bool(tries)),
            Check("of them tried again", len(tries), sum(n > 1 for n in tries)),
            Check(
                "logs of the killed tries can be read",
                len(tries),
                sum(self.airflow.has_log(*key) for key in victim.keys),
            ),
            Check("killed worker works again", True, self.topology.is_healthy(victim.worker)),
            Check("scorecards started by scores", True, bool(started_by_scores)),
        ]
        with self.warehouse() as counted:
            made += self.paid(counted)
        made.append(Check("conversations and runs in the marts", *self.in_the_marts()))
        return made + self.watch.checks()

    def conversations(self, victim: Victim) -> tuple[list[list[str]], bool]:
        """A line a vendor: each conversation of the sandbox is accounted for once."""
        # What landed a moment before the kill, and was not in the ledger yet, lands once more.
        cut_off = {CONVERSATIONS[key[0]] for key in victim.keys if key[2] == "extract"}
        header = "listed, in ledger, mirrored, to land, rows, distinct, landed, by loads, unscored"
        lines, holds = [["vendor", *header.split(", "), "utterances doubled", ""]], True
        with self.warehouse() as counted:
            for vendor in vendors.names():
                landing = f"landing.{vendor}__conversations"
                mirror = f"select count(*) n from landing.ledger where vendor = '{vendor}'"
                listed = self.statistics(vendor)["listed"]
                ledger = self.state("select count(*) from ledger where vendor = %s", vendor)[0][0]
                mirrored = counted(mirror)
                kept_out = counted(f"{mirror} and status in ('private', 'quarantined')")
                rows = counted(f"select count(*) n from {landing}")
                distinct = counted(f"select count(distinct conversation_id) n from {landing}")
                landed = counted(f"{mirror} and status = 'landed'")
                loads = f"select sum(landed) n from landing.loads where vendor = '{vendor}'"
                unscored = counted(
                    f"{mirror} and status = 'landed' and score_status is distinct from 'scored'"
                )
                doubled = counted(
                    "select count(*) - count(distinct (conversation_id, position)) n "
                    f"from landing.{vendor}__utterances"
                )
                by_loads = counted(loads)
                good = (
                    0 < listed == ledger == mirrored
                    and listed - kept_out == rows == distinct
                    and (landed == by_loads or (vendor in cut_off and landed < by_loads))
                    and unscored == doubled == 0
                )
                holds = holds and good
                numbers = [listed, ledger, mirrored, listed - kept_out, rows, distinct, landed]
                cells = [*numbers, by_loads, unscored, doubled]
                lines.append([vendor, *map(str, cells), "ok" if good else "WRONG"])
        return lines, holds

    def paid(self, counted: Callable[[str], int]) -> list[Check]:
        statistics = self.statistics("semarize")
        kits = settings.load(ROOT / "include/semarize_sandbox/pipeline.toml")
        wanted = sum(
            len(kits.kits_for(vendor))
            * counted(
                f"select count(*) n from landing.ledger where vendor = '{vendor}' "
                "and status = 'landed'"
            )
            for vendor in vendors.names()
        )
        registered = self.state(
            "select count(*), count(distinct run_id), count(distinct (vendor, conversation_id, "
            "kit_code)) from semarize_runs"
        )[0]
        return [
            Check("runs that Semarize was paid for", wanted, statistics["runs_paid"]),
            Check("of them bought again", 0, statistics["runs_bought_again"]),
            Check("runs: keys, ids, conversations with kit", (wanted,) * 3, tuple(registered)),
            Check(
                "runs landed, distinct keys",
                (wanted, wanted),
                (
                    counted("select count(*) n from landing.semarize__runs"),
                    counted("select count(distinct idempotency_key) n from landing.semarize__runs"),
                ),
            ),
            Check(
                "signals doubled",
                0,
                counted(
                    "select count(*) - count(distinct (run_id, brick_key)) n "
                    "from landing.semarize__signals"
                ),
            ),
            Check(
                "typed scores, distinct",
                (wanted, wanted),
                (
                    sum(
                        counted(f"select count(*) n from landing.scores__{kit.name}")
                        for kit in kits.kits
                    ),
                    sum(
                        counted(
                            "select count(distinct (vendor, conversation_id, kit_version_id)) n "
                            f"from landing.scores__{kit.name}"
                        )
                        for kit in kits.kits
                    ),
                ),
            ),
        ]

    # Asking around

    def wait(self, what: str, ready: Callable[[], Any]) -> Any:
        self.say(f"waiting for {what}")
        told = time.monotonic()
        while not (found := ready()):
            if time.monotonic() - self.begun > LONGEST_SECONDS:
                raise Trouble(f"no {what} after {LONGEST_SECONDS:.0f} s: {self.airflow.summary()}")
            if time.monotonic() - told > 15:
                self.say(f"  {self.airflow.summary()}")
                told = time.monotonic()
            time.sleep(PAUSE_SECONDS)
        return found

    def workers(self) -> list[Container]:
        return [c for c in self.topology.containers.values() if c.service.name == "worker"]

    def tell(self, path: str, content: Mapping[str, Any]) -> None:
        url = f"{self.sandbox}{path}"
        self.session.post(url, json=content, timeout=10).raise_for_status()

    def control(self) -> dict[str, Any]:
        return dict(self.session.get(f"{self.sandbox}/control/stats", timeout=10).json())

    def statistics(self, name: str) -> dict[str, int]:
        return dict(self.control()["standins"][name])

    def state(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(
            host="127.0.0.1",
            port=self.topology.port("postgres"),
            user="airflow",
            password=self.database_password,
            dbname="state",
        )
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, values)
                return list(cursor.fetchall())
        except psycopg2.errors.UndefinedTable:
            return [(0,)]
        finally:
            connection.close()

    @contextmanager
    def warehouse(self) -> Iterator[Callable[[str], int]]:
        """Asks the warehouse for the number ``n``."""
        path = self.topology.volume("warehouse") / "warehouse.duckdb"
        with DuckDBWarehouse(path).open("proof") as session:
            yield lambda sql: int(session.query(sql)[0]["n"] or 0)


@dataclass(frozen=True, slots=True)
class Victim:
    """The worker that is killed, and what it was about: DAG, run, task."""

    worker: Container
    keys: list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table; ``bound`` says that less is well too."""

    name: str
    expected: Any
    found: Any
    bound: bool = False

    @property
    def holds(self) -> bool:
        return bool(self.found <= self.expected if self.bound else self.found == self.expected)

    def row(self) -> list[str]:
        expected = f"<= {_shown(self.expected)}" if self.bound else _shown(self.expected)
        return [self.name, expected, _shown(self.found), "ok" if self.holds else "WRONG"]


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    return str(value)


class Airflow:
    """The REST API, with the login that `.env` gives."""

    def __init__(self, topology: Topology, password: str) -> None:
        self._topology = topology
        self._password = password
        self._session = requests.Session()
        self._session.trust_env = False

    def ask(self, method: str, path: str, **more: Any) -> Any:
        url = f"http://127.0.0.1:{self._topology.port('api-server')}"
        if "Authorization" not in self._session.headers:
            login = {"username": "admin", "password": self._password}
            token = self._session.post(f"{url}/auth/token", json=login, timeout=30)
            token.raise_for_status()
            self._session.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
        answer = self._session.request(method, f"{url}/api/v2{path}", timeout=30, **more)
        answer.raise_for_status()
        return answer.json()

    def await_dags(self, wanted: Sequence[str]) -> None:
        give_up = time.monotonic() + 60
        while True:
            there = {dag["dag_id"] for dag in self.ask("GET", "/dags")["dags"]}
            if there >= set(wanted):
                return
            if time.monotonic() > give_up:
                raise Trouble(f"no DAG {', '.join(set(wanted) - there)}; see dag-processor.log")
            time.sleep(0.5)

    def unpause(self, dag_id: str) -> None:
        self.ask("PATCH", f"/dags/{dag_id}", json={"is_paused": False})

    def trigger(self, dag_id: str) -> str:
        return str(
            self.ask("POST", f"/dags/{dag_id}/dagRuns", json={"logical_date": None})["dag_run_id"]
        )

    def dag_runs(self) -> list[dict[str, Any]]:
        return list(self.ask("GET", "/dags/~/dagRuns?limit=100")["dag_runs"])

    def run_state(self, dag_id: str, run_id: str) -> str:
        return str(self.ask("GET", f"/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def task_instances(self, **filters: str) -> list[dict[str, Any]]:
        told = self.ask("GET", "/dags/~/dagRuns/~/taskInstances", params={"limit": 100, **filters})
        return list(told["task_instances"])

    def tries(self, keys: Sequence[tuple[str, str, str]]) -> list[int]:
        return [
            self.ask("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}")[
                "try_number"
            ]
            for dag_id, run_id, task_id in keys
        ]

    def has_log(self, dag_id: str, run_id: str, task_id: str) -> bool:
        """Whether the pages show what the first try of a task wrote."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/1"
        told = self.ask("GET", path, headers={"Accept": "application/json"})
        return any(line.get("timestamp") for line in told["content"])

    def results(self, dag_id: str, run_id: str, task_id: str) -> list[str]:
        """What the mapped instances of a task returned."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}"
        mapped = self.ask("GET", f"{path}/listMapped")["task_instances"]
        return [
            str(
                self.ask(
                    "GET",
                    f"{path}/xcomEntries/return_value",
                    params={"map_index": ti["map_index"]},
                )["value"]
            )
            for ti in mapped
            if ti["state"] == "success"
        ]

    def summary(self) -> str:
        """What is not through yet."""
        runs = Counter(
            f"{r['dag_id']} {r['state']}" for r in self.dag_runs() if r["state"] not in ("success",)
        )
        tasks = Counter(
            f"{ti['dag_id']}.{ti['task_id']} {ti['state']}"
            for ti in self.task_instances()
            if ti["state"] not in ("success", None)
        )
        return ", ".join(sorted(tasks)) or ", ".join(sorted(runs)) or "nothing"


@dataclass(slots=True)
class Watch:
    """Looks every two seconds whether a promise is broken: pools, runs of a DAG at once."""

    proof: Proof
    shared_rate: float = 0.0
    sharers: list[str] = field(default_factory=list)
    looks: int = 0
    fullest: Counter[str] = field(default_factory=Counter)
    most_runs: Counter[str] = field(default_factory=Counter)
    waited: set[str] = field(default_factory=set)
    deferred: set[str] = field(default_factory=set)
    at_once: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(30)

    def _look(self) -> None:
        airflow = Airflow(self.proof.topology, self.proof.password)
        while not self._stop.wait(PAUSE_SECONDS):
            pools = airflow.ask("GET", "/pools")["pools"]
            for pool in pools:
                used = pool["running_slots"] + pool["queued_slots"]
                self.fullest[pool["name"]] = max(self.fullest[pool["name"]], used)
            runs = airflow.dag_runs()
            running = Counter(run["dag_id"] for run in runs if run["state"] == "running")
            for dag_id, count in running.items():
                self.most_runs[dag_id] = max(self.most_runs[dag_id], count)
            queued = {run["dag_id"] for run in runs if run["state"] == "queued"}
            self.waited |= queued & set(running)
            for ti in airflow.task_instances(state="deferred"):
                self.deferred.add(f"{ti['dag_id']}.{ti['task_id']}")
            self.looks += 1

    def checks(self) -> list[Check]:
        statistics = self.proof.statistics(SHARED_KEY)
        promised = vendors.get(SHARED_KEY).limits.requests_per_second
        used = vendors.names()
        made = [
            Check(
                "workers that shared Gong's key",
                ["worker-1", "worker-2"],
                sorted(set(self.sharers)),
            ),
            Check("requests a second with it, promised", promised * 1.02, self.shared_rate, True),
            # What Gong documents, and what its stand-in refuses beyond.
            Check("requests in any second, allowed", 3, statistics["most_in_a_second"], True),
            Check(
                "requests refused as too many (429)",
                0,
                sum(self.proof.statistics(name).get("status_429", 0) for name in used),
            ),
            Check("looks at pools and runs were many", True, self.looks > 30),
            Check(
                "runs of one DAG at once",
                1,
                max(count for dag_id, count in self.most_runs.items() if dag_id != "one_key"),
            ),
            Check("DAGs whose runs waited for each other", True, bool(self.waited)),
            Check("tasks waited for in the triggerer", True, bool(self.deferred)),
        ]
        for name, (slots, _) in POOLS.items():
            made.append(Check(f"slots of the pool {name}", slots, self.fullest[name], True))
        return made


def _interrupted(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    signal.signal(signal.SIGTERM, _interrupted)
    signal.signal(signal.SIGHUP, _interrupted)
    folder = Runtime.told(os.environ).folder / "celery"
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(f"{folder}.lock", timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        print(f"another run is at work in {folder}; wait for it to end", file=sys.stderr)
        return 1
    with lock:
        if end_leftovers(folder):
            print("ended what an earlier run left behind")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        proof = Proof(folder)
        try:
            good = proof.run()
        except Trouble as trouble:
            print(f"\n{trouble}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("\nstopped; nothing is left running", file=sys.stderr)
            return 130
        seconds = time.monotonic() - proof.begun
        print(
            f"\n{'All holds' if good else 'Something does not hold'}, after {seconds:.0f} s. "
            f"Logs: {proof.topology.logs}"
        )
        return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
