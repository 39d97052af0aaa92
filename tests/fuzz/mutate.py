"""Mutations that know JSON's structure, and the wire that a mutated value has to go through.

What JSON can say and Python's values cannot (a number beyond every float, a thousand brackets)
stands in a value as text, ``@raw@<what>@``, and becomes itself on the wire.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from semarize_pipeline.rest.client import _parse

# In every text that is put in: no reason and no log may repeat it.
CANARY = "zqxcanary"
# How many characters an array may get when it is made longer.
LARGEST = 4_000_000
Path = tuple[Any, ...]

_RAW = re.compile(r'"@raw@([a-z]+):([^"@]*)@"')

TEXTS = (
    f"{CANARY}",
    f" {CANARY} ",
    f"\x00{CANARY}\x00",
    f"{CANARY} \ud83d",
    f"\udc00{CANARY}",
    f"\u202e{CANARY}\u202c \u200f\u200b",
    f"\u05e9\u05dc\u05d5\u05dd {CANARY} \u0645\u0631\u062d\u0628\u0627",
    f"{CANARY}\r\n\t\x0b\x1f\x7f\u2028",
    f"e\u0301\u0301\u0301 {CANARY} \U0001f469\u200d\U0001f469\u200d\U0001f467",
    f"\ufeff{CANARY}\uffff\ufdd0",
    f"{CANARY}'; drop table x; -- \" \\ \\u0000",
    f"Rep ({CANARY})",
    f"pro\u017fpect ({CANARY})",
    f"{CANARY}" * 40,
    f"../{CANARY}?a=b#c%2F",
)
BARE_TEXTS = (
    "", " ", "\u00a0", "\u200b", "\x00", "0", "-0", "1e5", "1_000", "nan", "inf", "-Infinity",
    "true", "null", ".", "..", "1:2:3", "-1:30", ":".join(["59"] * 200), "1:" * 40 + "0",
    "\u0661\u0662",
    "1e400", "9" * 400, "T", "12:00T", "Rep ()", "prospect()", "\u212aey", "\u0130", "9" * 5000,
)  # fmt: skip
NUMBERS = (
    0, -0.0, 1, -1, -1.5, 0.1, 5e-324, 1e-9, 1e15, 1e300, -1e300, 2**31, 2**53, 2**53 + 1, 2**63,
    2**64 - 1, 2**64, -(2**63), 10**30, 10**400, float("nan"), float("inf"), float("-inf"),
    7782342274025937895, 7.782342274025938e18, 1700000000, 1700000000000, -62135596801,
    253402300800, 1e11, "@raw@number:1e999@", "@raw@number:-1e-999@", "@raw@number:1E+2@",
)  # fmt: skip
MOMENTS = (
    "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-12:00", "2026-03-08T02:30:00",
    "2026-03-01T10:00:00+23:59", "2026-03-01T10:00:00.123456789+05:45", "2026-03-01",
    "20260301T100000Z", "2026-W09-7", "2026-03-01T24:00:00Z", "2026-02-30T00:00:00Z",
    "2026-06-30T23:59:60Z", "2026-03-01 10:00:00 UTC", "2026-03-01T10:00:00+00:00:30.5",
    "1969-12-31T23:59:59Z", "10000-01-01T00:00:00Z", "2026-03-01t10:00:00z",
)  # fmt: skip
DEEP = (
    "@raw@lists:50@", "@raw@lists:260@", "@raw@lists:990@", "@raw@lists:1500@",
    "@raw@objects:260@", "@raw@objects:990@", "@raw@objects:20000@",
)  # fmt: skip
BOXES: tuple[Any, ...] = ([], {}, [None], [[]], [{}], {"": None}, {"name": CANARY}, [CANARY], [1])


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """The way to every part of a value."""
    inside: Any = ()
    if isinstance(value, Mapping):
        inside = value.items()
    elif isinstance(value, list):
        inside = enumerate(value)
    for key, held in inside:
        yield (*path, key)
        yield from places(held, (*path, key))


def at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


def put(value: Any, path: Path, part: Any) -> Any:
    """``value`` with ``part`` at ``path``; changed in place, unless it is the whole."""
    if not path:
        return part
    at(value, path[:-1])[path[-1]] = part
    return value


def without(value: Any, path: Path) -> Any:
    del at(value, path[:-1])[path[-1]]
    return value


def mutated(value: Any, rng: Random) -> Any:
    """A copy with one to four changes."""
    made = copy.deepcopy(value)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        made = _once(made, rng)
    return made


def _once(value: Any, rng: Random) -> Any:
    everywhere = list(places(value))
    if not everywhere or rng.random() < 0.01:
        return _anything(rng)
    path = rng.choice(everywhere)
    part = at(value, path)
    change = rng.random()
    if change < 0.14:
        return without(value, path)
    if change < 0.22:
        return put(value, path, None)
    if change < 0.62:
        return put(value, path, _instead(part, rng))
    if change < 0.72:
        return put(value, path, _anything(rng))
    if change < 0.80:
        return put(value, path, copy.deepcopy(at(value, rng.choice(everywhere))))
    lists = [p for p in everywhere if isinstance(at(value, p), list) and at(value, p)]
    if change < 0.93 and lists:
        path = rng.choice(lists)
        return put(value, path, _rows(at(value, path), rng))
    objects = [p for p in [(), *everywhere] if isinstance(at(value, p), dict)]
    if objects:
        # A field that nobody knows, or a known one in other letters.
        held = at(value, rng.choice(objects))
        name = rng.choice([*map(str, held), "field"])
        held[rng.choice((name.upper(), f"{name}_", f"{CANARY} {name}"))] = _anything(rng)
    return value


def _instead(part: Any, rng: Random) -> Any:
    """Something of the same kind or close to it, and nobody else's."""
    return copy.deepcopy(_near(part, rng))


def _near(part: Any, rng: Random) -> Any:
    if isinstance(part, bool) or part is None:
        return rng.choice((True, False, "true", "True", 0, 1, "no", *TEXTS[:1]))
    if isinstance(part, int | float):
        if abs(part) > 1e15 or rng.random() < 0.6:
            return rng.choice(NUMBERS)
        return rng.choice((-part, part * 1000, part / 1000, str(part), f" {part} ", part + 0.5))
    if isinstance(part, str):
        if part[:4].isdigit() and "-" in part and rng.random() < 0.5:
            return rng.choice(MOMENTS)
        if rng.random() < 0.01:
            return f"{CANARY} \u00e9" * 80_000
        own = (part.upper(), f"{part}{CANARY}", part[: rng.randrange(len(part) + 1)], [part])
        return rng.choice((*TEXTS, *TEXTS, *BARE_TEXTS, *MOMENTS, *NUMBERS, *own, {"name": part}))
    if isinstance(part, list):
        return rng.choice((*BOXES, part[0] if part else {}, {"data": part}, [part], str(CANARY)))
    return rng.choice((*BOXES, [part], [part, part], CANARY, list(part.values())))


def _anything(rng: Random) -> Any:
    kind = rng.choice((TEXTS, BARE_TEXTS, NUMBERS, MOMENTS, DEEP, BOXES))
    return copy.deepcopy(rng.choice(kind))


def _rows(rows: list[Any], rng: Random) -> list[Any]:
    """An array changed as a whole: doubled, long, out of order, with holes."""
    how = rng.randrange(7)
    if how == 0:
        return [*rows, *copy.deepcopy(rows)]
    if how == 1:
        return rng.sample(rows, len(rows))
    if how == 2:
        return rows[::-1]
    if how == 3:
        return [each for row in rows for each in (row, None)]
    if how == 4:
        return [*rows, _anything(rng)]
    if how == 5:
        return rows[:1]
    # All the same object: it is only read, and a copy of each would take most of the time. But
    # a long array of long arrays of long ones would take all memory.
    row = rng.choice(rows)
    most = LARGEST // len(json.dumps(row))
    return [row] * min(most, rng.choice((30, 300, 300, 8000)))


def wire(value: Any) -> bytes:
    """A value as JSON, raw parts included; halves of emojis stay escapes."""
    return _RAW.sub(_unpacked, json.dumps(value)).encode()


def _unpacked(found: re.Match[str]) -> str:
    what, told = found[1], found[2]
    if what == "number":
        return told
    many = int(told)
    return "[" * many + "]" * many if what == "lists" else '{"a":' * many + "1" + "}" * many


def received(value: Any) -> tuple[Any, bool]:
    """What the client makes of a value that is sent to it, and whether it could read it."""
    return _parse(wire(value))


def smaller(value: Any) -> Iterator[Any]:
    """Simpler values than this one, the simplest first."""
    yield from (
        each for each in (None, 0, "", [], {}) if type(each) is not type(value) or each != value
    )
    if isinstance(value, str) and len(value) > 1:
        yield value[: len(value) // 2]
        yield value[len(value) // 2 :]
        yield value[1:]
        yield value[:-1]
    if isinstance(value, list) and len(value) > 1:
        yield value[: len(value) // 2]
        yield value[len(value) // 2 :]


def extended(value: Any, rng: Random, shut: frozenset[str]) -> Any:
    """A copy with fields that nobody knows; nothing is added below the names in ``shut``."""
    made = copy.deepcopy(value)
    objects = [
        path
        for path in [(), *places(made)]
        if isinstance(at(made, path), dict) and at(made, path) and not shut & {*map(str, path)}
    ]
    for path in rng.sample(objects, min(3, len(objects))):
        at(made, path)["xUnknown_7"] = rng.choice((1, CANARY, [1], {"name": "x", "id": "y"}, None))
    return made
