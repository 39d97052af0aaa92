"""The search: rounds over all targets, each input from its own seed; what is found is cut down."""

from __future__ import annotations

import copy
import logging
import re
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from fuzz import mutate, samples
from fuzz.oracles import (
    Finding,
    Landing,
    Log,
    Translation,
    check_listing,
    check_semarize,
    check_transcripts,
    only,
)

from semarize_pipeline import vendors
from semarize_pipeline.model import Conversation
from semarize_pipeline.vendors.base import Inline
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.duckdb import DuckDBWarehouse
from semarize_pipeline.warehouse.port import Load

PER_ROUND = 40
SHRINK_SECONDS = 20.0
# Listings as each vendor wraps them, around rows.
ENVELOPES: dict[str, Callable[[list[Any]], Any]] = {
    "gong": lambda rows: {"requestId": "x", "calls": rows, "records": {"totalRecords": len(rows)}},
    "salesloft": lambda rows: {"data": rows, "metadata": {"paging": {"next_page": None}}},
    "clari_copilot": lambda rows: rows,
    "callminer": lambda rows: {"interactions": rows, "nextPage": None},
    "chorus": lambda rows: {"calls": rows},
}


@dataclass(frozen=True, slots=True)
class Found:
    """One fault: where, what, and the smallest input that shows it."""

    target: str
    finding: Finding
    smallest: Any

    @property
    def name(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", f"{self.target} {self.finding.kind}".lower()).strip("-")


class Target(ABC):
    """One thing to search: makes an input from a seed, and checks one."""

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def make(self, rng: Random) -> Any:
        """An input, before the wire."""

    @abstractmethod
    def check(self, given: Any, rng: Random) -> None:
        """Raises Finding where something is wrong."""

    def flush(self) -> None:  # noqa: B027 - few put anything off
        """Check what was put off until there was enough of it."""


class Records(Target):
    """Records and transcripts of a vendor, through the wire and its translation, to DuckDB."""

    def __init__(self, vendor: str, folder: Path) -> None:
        super().__init__(vendor)
        self._samples = samples.of_vendor(vendor)
        self._inline = isinstance(vendors.get(vendor).transcripts, Inline)
        self._translation = Translation(vendors.get(vendor))
        self._landing = Landing(folder, vendor)
        self._sound: list[Conversation] = []
        self.read = self.refused = 0

    def make(self, rng: Random) -> Any:
        one = rng.choice(self._samples)
        if self._inline or one.transcript is None or rng.random() < 0.5:
            return {"record": mutate.mutated(one.record, rng), "transcript": one.transcript}
        return {"record": one.record, "transcript": mutate.mutated(one.transcript, rng)}

    def check(self, given: Any, rng: Random) -> None:
        record, one = mutate.received(given["record"])
        transcript, other = mutate.received(given["transcript"])
        if not (one and other):
            return  # the client asks again for such a page
        got = self._translation.check(record, record if self._inline else transcript, rng)
        self.read += got.conversation is not None
        self.refused += got.conversation is None
        for each in (got.conversation, got.redacted):
            # The long ones take all the time, and land no otherwise.
            if each is not None and len(each.utterances) < 500 and rng.random() < 0.25:
                self._sound.append(each)

    def flush(self) -> None:
        if len(self._sound) >= 100:
            sound, self._sound = self._sound, []
            self._landing.check(sound)


class Pages(Target):
    """A vendor's listing pages and its answers with transcripts, in spoilt envelopes."""

    def __init__(self, vendor: str) -> None:
        super().__init__(f"{vendor} pages")
        self._vendor = vendors.get(vendor)
        self._envelope = ENVELOPES[vendor]
        self._samples = samples.of_vendor(vendor)

    def make(self, rng: Random) -> Any:
        rows = [each.record for each in rng.sample(self._samples, 2)]
        page: Any = self._envelope(rows)
        if rng.random() < 0.4:
            said = rng.choice(self._samples).transcript
            page = {"callTranscripts": [said]} if self._vendor.name == "gong" else said
            return {"answer": self._shallow(page, rng)}
        return {"page": self._shallow(page, rng), "last": self._envelope([])}

    def check(self, given: Any, rng: Random) -> None:
        if "answer" in given:
            check_transcripts(self._vendor, given["answer"], ["a", "b/../c?d=e"])
        else:
            check_listing(self._vendor, given["page"], given["last"])

    @staticmethod
    def _shallow(page: Any, rng: Random) -> Any:
        """Mostly the envelope is spoilt: what is in the rows is the other targets' matter."""
        if rng.random() < 0.3 or not isinstance(page, dict):
            return mutate.mutated(page, rng)
        rows = {key: held for key, held in page.items() if isinstance(held, list)}
        bare = {key: [] if key in rows else held for key, held in page.items()}
        made = mutate.mutated(bare, rng)
        if isinstance(made, dict):
            made.update((key, rows[key]) for key in rows if made.get(key) == [])
        return made


class Answers(Target):
    """Semarize's schemas and runs, typed and landed."""

    def __init__(self, folder: Path) -> None:
        super().__init__("semarize")
        self._folder = folder
        self._samples = samples.of_semarize()

    def make(self, rng: Random) -> Any:
        schema, answer = rng.choice(self._samples)
        if rng.random() < 0.3:
            return {"schema": mutate.mutated(schema, rng), "answer": answer}
        return {"schema": schema, "answer": mutate.mutated(answer, rng)}

    def check(self, given: Any, rng: Random) -> None:
        land = self._land if rng.random() < 0.03 else None
        check_semarize(given["schema"], given["answer"], land)

    def _land(self, loads: Sequence[Load]) -> None:
        """In a file of its own: another schema has other columns."""
        path = self._folder / "semarize.duckdb"
        with only(), DuckDBWarehouse(path).open("fuzz") as session:
            session.ensure([tables.RUNS, tables.SIGNALS, *(load.table for load in loads)])
            session.land(loads)
        path.unlink()


def targets() -> list[str]:
    """The names of all targets."""
    return [*vendors.names(), *(f"{name} pages" for name in vendors.names()), "semarize"]


def target(name: str, folder: Path) -> Target:
    """A target by its name."""
    if name == "semarize":
        return Answers(folder)
    vendor, _, pages = name.partition(" ")
    return Pages(vendor) if pages else Records(vendor, folder)


class Search:
    """Rounds over some targets; the same seed goes the same way."""

    def __init__(
        self, folder: Path, seed: int, names: Sequence[str], more: Sequence[Target] = ()
    ) -> None:
        self.targets = [*(target(name, folder) for name in names), *more]
        self._seed = seed
        self._number = 0
        self.inputs: Counter[str] = Counter()
        self.kinds: Counter[tuple[str, str]] = Counter()
        self.log = Log()
        logging.getLogger("semarize_pipeline").addHandler(self.log)
        logging.getLogger("semarize_pipeline").propagate = False
        self._began = time.monotonic()

    def round(self) -> Iterator[Found]:
        """Some inputs for every target; what is found for the first time."""
        self._number += 1
        for each in self.targets:
            for turn in range(PER_ROUND):
                name = f"{self._seed}|{each.name}|{self._number}|{turn}"
                given = each.make(Random(name))
                self.inputs[each.name] += 1
                finding = self._tried(each, given, name)
                if finding is not None and self._is_new(each, finding):
                    yield Found(each.name, finding, self._shrunk(each, given, name, finding.kind))
            try:
                each.flush()
            except Finding as finding:
                if self._is_new(each, finding):
                    yield Found(each.name, finding, None)

    def _is_new(self, one: Target, finding: Finding) -> bool:
        self.kinds[one.name, finding.kind] += 1
        return self.kinds[one.name, finding.kind] == 1

    def _tried(self, one: Target, given: Any, name: str) -> Finding | None:
        self.log.leaks.clear()
        try:
            one.check(given, Random(name))
        except Finding as finding:
            return finding
        return Finding("the log tells what was read", self.log.leaks[0]) if self.log.leaks else None

    def _shrunk(self, one: Target, given: Any, name: str, kind: str) -> Any:
        """Greedily: leave out or simplify one part after another, as long as it still shows."""
        end = time.monotonic() + SHRINK_SECONDS

        def shows(smaller: Any) -> bool:
            finding = self._tried(one, smaller, name)
            return finding is not None and finding.kind == kind

        best, again = given, True
        while again and time.monotonic() < end:
            again = False
            for path in [p for p in mutate.places(best) if len(p) > 1]:
                if time.monotonic() > end:
                    break
                try:
                    part = mutate.at(best, path)
                except (KeyError, IndexError, TypeError):
                    continue  # it went with another part
                attempts = [mutate.without(copy.deepcopy(best), path)]
                attempts += [
                    mutate.put(copy.deepcopy(best), path, less)
                    for less in mutate.smaller(part)
                    if _size(less) < _size(part)
                ]
                for attempt in attempts:
                    if shows(attempt):
                        best, again = attempt, True
                        break
        return best

    def told(self) -> str:
        """How it stands, in a line."""
        minutes = (time.monotonic() - self._began) / 60
        return (
            f"{minutes:.1f} min, {sum(self.inputs.values()):,} inputs, {len(self.kinds)} faults; "
            f"{self.log.heard:,} log lines"
        )


def _size(value: Any) -> int:
    return len(repr(value))
