"""A run's answer as typed rows. Pure; a value never changes its type in silence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from semarize_pipeline.errors import Misconfigured
from semarize_pipeline.semarize.client import COLUMN_TYPES, Brick, KitSchema, RunAnswer
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.tables import Table, Type

# Beyond it no score is one, and sums of squares would end beyond every float.
MOST = 1e15
_RESERVED = frozenset(tables.scores("any", []).column_names)


@dataclass(slots=True)
class Typed:
    """What lands of one succeeded run."""

    signals: list[dict[str, Any]] = field(default_factory=list)
    score: dict[str, Any] = field(default_factory=dict)
    odd: list[tuple[str, str, Any]] = field(default_factory=list)
    """Bricks whose value does not fit: key, reason, value."""


@lru_cache(maxsize=4096)
def column(key: str) -> str:
    """A brick's key as a column name; a name that is taken gets the prefix ``brick_``."""
    name = re.sub(r"[^a-z0-9_]+", "_", key.lower()).strip("_")
    if not name or name[0].isdigit() or name in _RESERVED:
        name = f"brick_{name}"
    return name


# Asked for with each run that lands, of which there are thousands of a kit.
@lru_cache(maxsize=256)
def scores_table(kit_name: str, schema: KitSchema) -> Table:
    """The kit's wide table; two keys that become one column are for a person to mend."""
    columns: dict[str, Type] = {}
    for brick in schema.bricks:
        if brick.kind is None:
            continue
        name = column(brick.key)
        if name in columns:
            raise Misconfigured(f"two bricks of kit {kit_name} would share the column {name}")
        columns[name] = COLUMN_TYPES[brick.kind]
    return tables.scores(kit_name, columns.items())


def typed(answer: RunAnswer, schema: KitSchema, scored_at: datetime) -> Typed:
    """Signals, one row a brick, and the wide row's columns.

    A brick of an unknown type, one that the schema does not know, or a value of another type
    or beyond its scale is odd: it is reported, and stays null in the wide row.
    """
    result = Typed()
    known = {brick.key: brick for brick in schema.bricks}
    for key, given in (answer.bricks or {}).items():
        brick = known.get(key)
        told = given if isinstance(given, Mapping) else {"value": given}
        value = told.get("value")
        problem = _problem(brick, value)
        if brick is None or brick.kind is None or problem:
            result.odd.append((key, problem or "unknown type", value))
            continue
        result.signals.append(
            {
                "brick_key": key,
                "value_type": brick.kind,
                "value_boolean": value if brick.kind == "boolean" else None,
                "value_number": float(value)
                if brick.kind == "number" and value is not None
                else None,
                "value_text": value if brick.kind == "text" else None,
                "value_list": value if brick.kind == "list" else None,
                "confidence": _confidence(told.get("confidence")),
                "reason": told.get("reason") if isinstance(told.get("reason"), str) else None,
                "evidence": _evidence(told.get("evidence")),
                "scored_at": scored_at,
            }
        )
        result.score[column(key)] = _wide(brick, value)
    return result


def _problem(brick: Brick | None, value: Any) -> str | None:
    if brick is None:
        return "the kit's schema has no such brick"
    if brick.kind is None:
        return f"unknown type {brick.declared!r}"
    if value is None:
        return None
    fits = {
        "boolean": isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "text": isinstance(value, str),
        "list": isinstance(value, list) and all(isinstance(each, str) for each in value),
    }[brick.kind]
    if not fits:
        return f"{type(value).__name__} where the schema says {brick.declared}"
    if brick.kind == "number" and not _within(brick, float(value)):
        return f"a score beyond its scale {brick.minimum} to {brick.maximum}"
    if brick.kind == "text" and brick.allowed and value not in brick.allowed:
        return "a category that the schema does not list"
    return None


def _within(brick: Brick, value: float) -> bool:
    if not abs(value) <= MOST:
        return False
    return not (
        (brick.minimum is not None and value < brick.minimum)
        or (brick.maximum is not None and value > brick.maximum)
    )


def _wide(brick: Brick, value: Any) -> Any:
    if value is None:
        return None
    if brick.kind == "number":
        return float(value)
    return orjson.dumps(value).decode() if brick.kind == "list" else value


def _confidence(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) <= MOST else None


def _evidence(value: Any) -> list[str]:
    """A list of quotes; the API documents both a list and a single text."""
    if isinstance(value, str):
        return [value]
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
