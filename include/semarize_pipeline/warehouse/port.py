"""What the pipeline needs from a warehouse, whichever product it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from semarize_pipeline.warehouse.tables import Table, Type

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Load:
    """Rows for one table. They merge on the table's key; the last of equal keys wins.

    ``whole`` names a column: for each of its values in the rows, the rows given are all there
    are, so others with that value are removed (a corrected transcript may be shorter).
    """

    table: Table
    rows: Sequence[Row]
    whole: str | None = None


class Session(Protocol):
    """An open warehouse. Short: whoever holds it may keep others waiting."""

    def ensure(self, tables: Sequence[Table]) -> None:
        """Create what is missing; add new columns. Raises Misconfigured for a changed type."""

    def land(self, loads: Sequence[Load]) -> None:
        """All loads, or none: a killed task leaves no half of a batch behind."""

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Rows of a query with ``?`` for each parameter. JSON columns come as Python values."""


@dataclass(frozen=True, slots=True)
class DbtTarget:
    """Where dbt builds: a target of ``dbt/profiles.yml``, and the environment it reads there."""

    name: str
    environment: Mapping[str, str] = field(repr=False)


class Warehouse(Protocol):
    """A warehouse that is opened late and closed early."""

    def open(self, purpose: str) -> AbstractContextManager[Session]:
        """Open it; ``purpose`` is shown to whoever has to wait. Raises TryAgain after a while."""

    def for_dbt(self, purpose: str) -> AbstractContextManager[DbtTarget]:
        """Let dbt in, for as long as the block lasts; ``purpose`` and errors as with ``open``."""


class Json(str):
    """JSON text that is ready to land, dumped once by whoever also hashed it."""

    __slots__ = ()


def distinct(load: Load) -> list[Row]:
    """The load's rows with one row a key, in the order of the first of each."""
    by_key = {tuple(row[name] for name in load.table.key): row for row in load.rows}
    return list(by_key.values())


def cell(value: Any, type_: Type) -> Any:
    """A Python value as its column wants it: JSON as text, all else unchanged."""
    if type_ is Type.INTEGER and isinstance(value, float) and not value.is_integer():
        raise ValueError("a fraction for a column of integers; its rest would be lost")
    if value is None or type_ is not Type.JSON or isinstance(value, Json):
        return value
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS, default=str).decode()
