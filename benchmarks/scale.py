"""`make bench-scale`: whether memory and time a conversation stay the same, however many there are.

First the stages over few and over many conversations: peak memory and CPU seconds a conversation,
many against few. Then an hour's conversations on top of a small history and of large ones: CPU and
wall seconds of each stage, large against small. The other side is a local server of Gong's and
Semarize's shape (scale_server.py), DuckDB the warehouse, SQLite the state; SQL makes the histories
(history.py). Wall time is only worth something on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import history
import scale_server as server

HERE = Path(__file__).resolve().parent
STAGES = ("extract", "score", "dbt")
DAYS = 90
# A history's calls a day; the look-back of two days lists this many again each hour.
A_DAY = 900


@dataclass(frozen=True, slots=True)
class Took:
    """What a stage took."""

    done: int
    wall: float
    cpu: float
    peak_mb: float


@contextmanager
def serving(start: datetime, end: datetime, count: int, late: int, sentences: int) -> Iterator[str]:
    """A server in a process of its own; gives its address."""
    command = [
        sys.executable, str(HERE / "scale_server.py"), "--start", start.isoformat(), "--end",
        end.isoformat(), "--count", str(count), "--late", str(late), "--sentences", str(sentences),
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def stage(name: str, folder: Path, *more: str) -> Took:
    """One stage in a process of its own."""
    path = os.pathsep.join([str(HERE), str(HERE.parent / "include")])
    ended = subprocess.run(
        [sys.executable, str(HERE / "stages.py"), name, str(folder), *more],
        env={**os.environ, "PYTHONPATH": path, "NO_PROXY": "*", "no_proxy": "*"},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise SystemExit(f"{name} failed\n{ended.stderr[-4000:]}")
    took = Took(**json.loads(ended.stdout.splitlines()[-1]))
    print(
        f"  {folder.name} {name}: {took.done:,} done, {took.cpu:.1f} s of CPU, {took.wall:.1f} s, "
        f"{took.peak_mb:.0f} MB at most",
        flush=True,
    )
    return took


def stages(
    folder: Path, base: str, start: datetime, end: datetime, only: Sequence[str]
) -> dict[str, Took]:
    """All stages in turn over what the server lists."""
    listing = ("--base", base, "--start", start.isoformat(), "--until", end.isoformat())
    return {name: stage(name, folder, *(listing if name != "dbt" else ())) for name in only}


def fresh(folder: Path) -> Path:
    """A folder with nothing in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def constancy(work: Path, few: int, many: int, sentences: int, only: Sequence[str]) -> None:
    """Few and many conversations of the same 90 days."""
    print(f"{few:,} and {many:,} conversations of {sentences} utterances, from nothing")
    end = datetime.now(UTC).replace(microsecond=0)
    start = end - timedelta(days=DAYS)
    took = []
    for count in (few, many):
        folder = fresh(work / f"from-nothing-{count}")
        with serving(start, end, count, 0, sentences) as base:
            took.append(stages(folder, base, start, end, only))
        shutil.rmtree(folder)
    for name in only:
        less, more = took[0][name], took[1][name]
        each = (more.cpu / many) / (less.cpu / few)
        longer = (more.wall / many) / (less.wall / few)
        print(
            f"{name}: peak memory x {more.peak_mb / less.peak_mb:.2f}, CPU a conversation x "
            f"{each:.2f}, wall a conversation x {longer:.2f}"
        )


def hourly(
    work: Path, landed: Sequence[int], new: int, sentences: int, only: Sequence[str], keep: bool
) -> None:
    """An hour's new conversations on top of histories of several sizes, the first the measure."""
    sizes = " and ".join(f"{size:,}" for size in landed)
    print(f"{new:,} new conversations on top of {sizes} that have landed", flush=True)
    now = datetime.now(UTC).replace(microsecond=0)
    most = max(landed)
    start = now - timedelta(days=most / A_DAY)
    took = []
    for size in landed:
        folder = fresh(work / f"landed-{size}")
        # The hour's calls begin after the hour that the history reaches to.
        calls = server.Calls(start, now, most, new, sentences)
        history.make(folder, calls, most - size, now - timedelta(hours=1))
        made = (folder / "warehouse.duckdb").stat().st_size / 2**20
        print(f"  {folder.name}: a history of {size:,} was made ({made:.0f} MB)", flush=True)
        if "dbt" in only:
            first = stage("dbt", folder)
            print(f"  (built whole: {first.cpu:.1f} s of CPU)", flush=True)
        with serving(start, now, most, new, sentences) as base:
            took.append(stages(folder, base, start, now, only))
        if "dbt" in only:
            slowest = json.loads((folder / "slowest.json").read_text())
            for node, seconds in slowest[:12]:
                print(f"    {seconds:6.2f} s {node}")
            stage("dbt", folder)  # what a build costs when nothing is new
        if not keep:
            shutil.rmtree(folder)
    for name in only:
        less = took[0][name]
        for size, stages_of in zip(landed[1:], took[1:], strict=True):
            more = stages_of[name]
            assert less.done == more.done or name == "dbt", "the guard: both did the same work"
            print(
                f"{name} on {size:,} against {landed[0]:,}: CPU x {more.cpu / less.cpu:.2f}, wall "
                f"x {more.wall / less.wall:.2f}, peak memory x {more.peak_mb / less.peak_mb:.2f}"
            )


def main() -> None:
    """Measure and print; --landed, and --few and --many, set the sizes."""
    parser = argparse.ArgumentParser(prog="make bench-scale", description=__doc__)
    parser.add_argument("what", nargs="*", choices=("constancy", "hourly", []), default=[])
    parser.add_argument("--few", type=int, default=10_000)
    parser.add_argument("--many", type=int, default=100_000)
    parser.add_argument("--landed", default="2000,1000000", help="histories, the measure first")
    parser.add_argument("--new", type=int, default=100)
    parser.add_argument("--sentences", type=int, default=10)
    parser.add_argument("--stages", default=",".join(STAGES), help="some of extract,score,dbt")
    parser.add_argument("--work", type=Path, default=HERE.parent / ".runtime" / "scale")
    parser.add_argument("--keep", action="store_true", help="leave the files for a closer look")
    told = parser.parse_args()
    only = [name for name in STAGES if name in told.stages.split(",")]
    what = told.what or ["constancy", "hourly"]
    if "constancy" in what:
        constancy(told.work, told.few, told.many, told.sentences, only)
    if "hourly" in what:
        landed = [int(size) for size in told.landed.split(",")]
        hourly(told.work, landed, told.new, told.sentences, only, told.keep)


if __name__ == "__main__":
    main()
