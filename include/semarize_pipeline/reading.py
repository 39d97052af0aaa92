"""Reading a vendor's JSON into our types: pure functions, used by every translation.

Each takes a record and the places to look in, as dotted paths; the first place that holds
something wins. None, blank text and empty containers are nothing. What is there but cannot be
read raises ``Unreadable`` with the name of the place, never with what stood there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from semarize_pipeline.errors import Unreadable
from semarize_pipeline.model import Participant, Record, Role, Utterance, Window, utc
from semarize_pipeline.rest.paging import OBJECT, dig

DIRECTIONS = ("inbound", "outbound", "conference")
# Epoch seconds reach this in the year 5138; vendors that count milliseconds passed it in 1973.
LEAST_EPOCH_MILLISECONDS = 1e11
# Beyond these no conversation is, and a single row of them would stop every model that adds up.
YEARS = (1970, 2200)
LONGEST_SECONDS = 366 * 86_400.0
LONGEST_MILLISECONDS = LONGEST_SECONDS * 1000
# No vendor's id is near it, and PostgreSQL's indexes take no key of three times its length.
LONGEST_ID = 500
ARRAY_OR_OBJECT = (list, *OBJECT)
PLAIN = (int, float)


def first(record: Any, *paths: str) -> Any:
    """The first value that is something, as it stands; None where there is none."""
    for path in paths:
        # Most places are one name in a dict; the others take the longer way.
        at_hand = type(record) is dict and path and "." not in path
        value = record.get(path) if at_hand else dig(record, path)
        if value is None:
            continue
        kind = type(value)
        if kind in PLAIN:
            return value
        if kind is str:
            if value and not value.isspace():
                return value
        elif isinstance(value, ARRAY_OR_OBJECT):
            if value:
                return value
        else:
            return value
    return None


def text(record: Any, *paths: str) -> str | None:
    """The first scalar as text: vendors send 28, "false" and "2019-12-30" in one field."""
    for path in paths:
        value = first(record, path)
        if value is None:
            continue
        if isinstance(value, str):
            return value.strip()
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, int | float):
            return str(value)
    return None


def identity(record: Any, *paths: str) -> str:
    """The record's id: text, or a whole number as text.

    A number with a fraction is refused: it went through a float, and ids of 19 digits and
    more lose their last digits there. So is what no index would take, and what would lead
    elsewhere as a part of a path.
    """
    value = first(record, *paths)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Unreadable(f"no {paths[0]}" if value is None else f"{paths[0]} is not an id")
    id_ = str(value).strip()
    if len(id_) > LONGEST_ID or id_ in (".", ".."):
        raise Unreadable(f"{paths[0]} is not an id")
    return id_


def words(record: Any, *paths: str) -> str:
    """What was said, "" for nothing. Anything but text is refused: it would be lost."""
    value = first(record, *paths)
    if value is not None and not isinstance(value, str):
        raise Unreadable(f"{paths[0]} is not text")
    return value.strip() if value else ""


def number(record: Any, *paths: str) -> float | None:
    """A number, also where it is sent as text."""
    value = first(record, *paths)
    return None if value is None else _finite(value, paths[0])


def whole(record: Any, *paths: str) -> int | None:
    """A count, also where it is sent as 5.0 or as text."""
    value = number(record, *paths)
    if value is not None and not (value.is_integer() and abs(value) < 2**53):
        raise Unreadable(f"{paths[0]} is not a whole number")
    return None if value is None else int(value)


def seconds(record: Any, *paths: str) -> float | None:
    """An offset in seconds: a number, or clock text such as "1:23" or "00:01:23.5"."""
    value = first(record, *paths)
    if not isinstance(value, str) or ":" not in value:
        return None if value is None else within_a_year(_finite(value, paths[0]), paths[0])
    total = 0.0
    for part in value.split(":"):
        total = within_a_year(total * 60 + _finite(part, paths[0]), paths[0])
    return total


def length(record: Any, *paths: str) -> float | None:
    """How long something took, in seconds, as ``seconds`` reads them; never below zero."""
    value = seconds(record, *paths)
    if value is not None and value < 0:
        raise Unreadable(f"{paths[0]} is below zero")
    return value


def milliseconds(record: Any, *paths: str) -> float | None:
    """Milliseconds as seconds."""
    value = first(record, *paths)
    if type(value) in PLAIN and abs(value) <= LONGEST_MILLISECONDS:
        return float(value / 1000)  # as nearly all are: asked once, not once a rule
    return None if value is None else within_a_year(_finite(value, paths[0]) / 1000, paths[0])


def within_a_year(value: float, place: str) -> float:
    """Seconds, as they are; more than a year of them, either way, is refused."""
    if abs(value) > LONGEST_SECONDS:
        raise Unreadable(f"{place} is longer than a year")
    return value


def _finite(value: Any, place: str) -> float:
    # Nearly all are plain numbers: asked first, and without an abstract class.
    if type(value) not in PLAIN and (
        isinstance(value, bool) or not isinstance(value, str | int | float)
    ):
        raise Unreadable(f"{place} is not a number")
    try:
        made = float(value)
    except (ValueError, OverflowError):
        raise Unreadable(f"{place} is not a number") from None
    if not math.isfinite(made):
        raise Unreadable(f"{place} is not a finite number")
    return made


def moment(record: Any, *paths: str) -> datetime:
    """A moment in UTC: ISO 8601, or seconds or milliseconds since 1970.

    One before 1970, such as the year 1 that stands for none, or after 2199 is refused.
    """
    value = first(record, *paths)
    if value is None:
        raise Unreadable(f"no {paths[0]}")
    try:
        if isinstance(value, int | float) and abs(value) >= LEAST_EPOCH_MILLISECONDS:
            value = value / 1000
        at = utc(value)
    except (ValueError, TypeError, OverflowError, OSError):
        raise Unreadable(f"{paths[0]} is not a moment") from None
    if not YEARS[0] <= at.year < YEARS[1]:
        raise Unreadable(f"{paths[0]} is no moment between {YEARS[0]} and {YEARS[1]}")
    return at


def objects(record: Any, *paths: str) -> list[Record]:
    """The objects of an array, without nulls; none where there is no array."""
    value = first(record, *paths)
    return [] if value is None else _objects(value, paths[0])


def lines(transcript: Any, *paths: str) -> list[Record]:
    """A transcript's rows: none while there is no transcript, or null where it will stand.

    An envelope that we do not know is refused: taking it for empty would lose the words.
    """
    if transcript is None:
        return []
    for path in paths:
        found = dig(transcript, path)
        if isinstance(found, list):
            return _objects(found, path or "transcript")
    if isinstance(transcript, Mapping) and any(
        path in transcript and transcript[path] is None for path in paths
    ):
        return []
    raise Unreadable("the transcript has an unknown shape")


def _objects(value: Any, place: str) -> list[Record]:
    if not isinstance(value, list):
        raise Unreadable(f"{place} is not an array")
    for each in value:
        if type(each) is not dict:
            break
    else:
        return value
    kept = [each for each in value if each is not None]
    for each in kept:
        if not isinstance(each, OBJECT):
            raise Unreadable(f"{place} is not an array of objects")
    return kept


def names(record: Any, *paths: str) -> list[str]:
    """A list of texts, or of objects with a name: tags, topics, codes; one alone is a list."""
    value = first(record, *paths)
    listed = value if isinstance(value, list) else [value]
    found = (text({"one": each}, "one.name", "one.code", "one") for each in listed)
    return [each for each in found if each]


def direction(record: Any, *paths: str) -> str | None:
    """inbound, outbound or conference; a word that we do not know is unknown, none is None."""
    word = text(record, *paths)
    if word is None:
        return None
    return word.lower() if word.lower() in DIRECTIONS else "unknown"


def role(record: Any, path: str, known: Mapping[str, Role]) -> Role:
    """The role behind a vendor's word for it; ``known`` has lower-case words."""
    return known.get((text(record, path) or "").lower(), "unknown")


def roles_by_name(people: Iterable[Participant]) -> dict[str, Role]:
    """The role behind each name; unknown where two of one name have different ones."""
    found: dict[str, Role] = {}
    for person in people:
        if person.name:
            same = found.setdefault(person.name, person.role) == person.role
            found[person.name] = person.role if same else "unknown"
    return found


def spoken(utterances: Iterable[Utterance]) -> tuple[Utterance, ...]:
    """The utterances that hold words."""
    return tuple(each for each in utterances if each.text)


def span(window: Window, start: str, end: str) -> dict[str, str]:
    """A window as parameters of these names: ISO 8601 in UTC with Z."""
    moments = (at.astimezone(UTC).isoformat() for at in (window.start, window.end))
    return {name: at.replace("+00:00", "Z") for name, at in zip((start, end), moments, strict=True)}
