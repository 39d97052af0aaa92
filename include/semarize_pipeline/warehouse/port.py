"""What the pipeline needs from a warehouse, whichever product it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from semarize_pipeline.errors import Misconfigured
from semarize_pipeline.warehouse.tables import Table

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


@dataclass(frozen=True, slots=True)
class Removal:
    """Rows of a table to take away: those with one of ``values`` in ``column``.

    ``vendor`` bounds them where vendors share the table. With ``blank`` the rows stay and only
    these columns are emptied; ``stamp`` is what such rows get, so that dbt sees the change.
    """

    table: Table
    column: str
    values: Sequence[str]
    vendor: str | None = None
    blank: tuple[str, ...] = ()
    stamp: Mapping[str, Any] = field(default_factory=dict)

    def statements(
        self, name: str, quote: Callable[[str], str]
    ) -> tuple[tuple[str, list[Any]], tuple[str, list[Any]]]:
        """How many rows it is about, and the change: each with its parameters."""
        where = f"{quote(self.column)} in ({', '.join('?' * len(self.values))})"
        known: list[Any] = list(self.values)
        if self.vendor is not None:
            where += f" and {quote('vendor')} = ?"
            known.append(self.vendor)
        if not self.blank:
            change, given = f"delete from {name} where {where}", known
        else:
            # What is empty already is no change.
            where += " and (" + " or ".join(f"{quote(c)} is not null" for c in self.blank) + ")"
            sets = [f"{quote(c)} = null" for c in self.blank]
            sets += [f"{quote(c)} = ?" for c in self.stamp]
            change = f"update {name} set {', '.join(sets)} where {where}"
            given = [*self.stamp.values(), *known]
        return (f"select count(*) as n from {name} where {where}", known), (change, given)


class Session(Protocol):
    """An open warehouse. Short: whoever holds it may keep others waiting."""

    def ensure(self, tables: Sequence[Table]) -> None:
        """Create what is missing; add new columns. Raises Misconfigured for a changed type."""

    def land(self, loads: Sequence[Load]) -> None:
        """All loads, or none: a killed task leaves no half of a batch behind."""

    def remove(self, removals: Sequence[Removal], *, dry_run: bool = False) -> list[int]:
        """All removals, or none; how many rows each of them takes away or blanks."""

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Rows of a query with ``?`` for each parameter. JSON columns come as Python values."""

    def find(
        self, table: Table, columns: Sequence[str], key: str, values: Sequence[str]
    ) -> list[dict[str, Any]]:
        """These columns of the rows with one of ``values`` in ``key``, as ``query`` gives them.

        Of the other rows nothing wide is read, however many there are.
        """


@dataclass(frozen=True, slots=True)
class DbtTarget:
    """Where dbt builds: a target of ``dbt/profiles.yml``, and the environment it reads there."""

    name: str
    environment: Mapping[str, str] = field(repr=False)


class Warehouse(Protocol):
    """A warehouse that is opened late and closed early."""

    def may_hold_rows(self) -> bool:
        """Whether there is anything to open; False without a look inside."""

    def open(self, purpose: str) -> AbstractContextManager[Session]:
        """Open it; ``purpose`` is shown to whoever has to wait. Raises TryAgain after a while."""

    def for_dbt(self, purpose: str) -> AbstractContextManager[DbtTarget]:
        """Let dbt in, for as long as the block lasts; ``purpose`` and errors as with ``open``."""


class Json(str):
    """JSON text that is ready to land, dumped once by whoever also hashed it."""

    __slots__ = ()


def type_changed(table: Table, column: str, found: str, wanted: str) -> Misconfigured:
    """What is raised where a landing table's column has another type than we declare."""
    return Misconfigured(
        f"{table.qualified}.{column} is {found} and would become {wanted}; "
        "rename the table to keep its history, then run this again"
    )
