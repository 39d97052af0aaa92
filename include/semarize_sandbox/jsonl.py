"""Any file of calls, one JSON object a line, as the calls of a vendor.

A line holds ``call_id``, ``duration_s`` and ``turns`` (``speaker``, ``start``, ``end``,
``text``), and perhaps ``company`` and ``country``. Speakers are anonymous numbers, so nobody's
role is known. Times may overlap or run backwards and are served as they stand.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from semarize_sandbox.model import Call, Person, Turn
from semarize_sandbox.wire import digits, fingerprint, hexadecimal

OWNER = Person(id="file", name="Owner of the file", email="owner@calls.example.com")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCall:
    """One line of the file, which belongs to no vendor yet."""

    name: str
    company: str | None
    country: str | None
    duration_seconds: float
    people: tuple[Person, ...]
    turns: tuple[Turn, ...]


def read(path: str | Path) -> list[FileCall]:
    """The file's lines; a name that ends in .gz is unpacked on the way.

    Raises ValueError with the line's number for a line that is no such call.
    """
    path = Path(path)
    told: list[FileCall] = []
    known: set[str] = set()
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            call = _file_call(orjson.loads(line))
        except (KeyError, TypeError, ValueError) as problem:
            # The line itself stays out of the message: it holds a transcript.
            raise ValueError(
                f"{path}: line {number} is no call ({type(problem).__name__}); "
                "it needs call_id, duration_s and turns with speaker, start, end and text"
            ) from None
        if call.name in known:
            raise ValueError(f"{path}: line {number} repeats the call_id {call.name!r}")
        known.add(call.name)
        told.append(call)
    return told


def as_calls(
    told: Sequence[FileCall], vendor: str, *, anchor: datetime | None = None, days: float = 25
) -> list[Call]:
    """The lines as one vendor's calls, spread evenly over the ``days`` before ``anchor`` (now,
    unless told): the last line is the latest, and none ends after it.
    """
    anchor = anchor or datetime.now(UTC)
    step = timedelta(days=days) / max(1, len(told))
    return [
        _call(vendor, number, line, anchor - step * (len(told) - number), anchor)
        for number, line in enumerate(told)
    ]


def _lines(path: Path) -> Iterator[bytes]:
    if path.suffix == ".gz":
        try:
            with gzip.open(path, "rb") as packed:
                yield from packed
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise ValueError(f"{path} is no whole gzip file; pack it again") from None
    else:
        with path.open("rb") as plain:
            yield from plain


def _file_call(line: Mapping[str, Any]) -> FileCall:
    name = str(line["call_id"])
    speakers = sorted({str(turn["speaker"]) for turn in line["turns"]}, key=lambda s: (len(s), s))
    turns = tuple(
        Turn(
            f"{name}/{turn['speaker']}", float(turn["start"]), float(turn["end"]), str(turn["text"])
        )
        for turn in line["turns"]
    )
    length = line.get("duration_s") or max((turn.end_seconds for turn in turns), default=0.0)
    return FileCall(
        name=name,
        company=str(line["company"]) if line.get("company") else None,
        country=str(line["country"]) if line.get("country") else None,
        duration_seconds=float(length),
        people=tuple(
            Person(id=f"{name}/{speaker}", name=f"Speaker {speaker}") for speaker in speakers
        ),
        turns=turns,
    )


def _call(vendor: str, number: int, line: FileCall, started_at: datetime, anchor: datetime) -> Call:
    latest = anchor - timedelta(seconds=line.duration_seconds)
    return Call(
        id=_id(vendor, number, line.name),
        vendor=vendor,
        started_at=min(started_at, latest).astimezone(UTC),
        duration_seconds=line.duration_seconds,
        title=line.name,
        owner=OWNER,
        people=line.people,
        turns=line.turns,
        direction="unknown",
        account_name=line.company,
        extras={"call_id": line.name, "country": line.country, "verbatim": True},
    )


def _id(vendor: str, number: int, name: str) -> str:
    """An id in the vendor's style; the same file gives the same ids, whenever it is served."""
    if vendor == "gong":
        return digits(19, "file", name)
    if vendor == "salesloft":
        return str(500_000_000 + number)
    if vendor == "clari_copilot":
        return f"cc-{500_000_000 + number}"
    if vendor == "callminer":
        day = date(2025, 1, 1) + timedelta(days=fingerprint("day", name) % 365)
        return f"INT-{day:%Y%m%d}-{50_000 + number:05d}"
    return hexadecimal(32, "file", name).lower()
