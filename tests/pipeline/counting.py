"""A bench whose warehouse notes how often it is opened, and what for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bench import Bench
from pipeline.breaking import OtherSessions

from semarize_pipeline.warehouse.duckdb import DuckDBSession
from semarize_pipeline.warehouse.tables import Table


@dataclass
class Opening:
    """One opening of the warehouse, which on Snowflake is one login."""

    purpose: str
    ensured: list[str] = field(default_factory=list)
    """The tables that were asked to be there."""


class _Session(DuckDBSession):
    def __init__(self, connection: Any, opening: Opening) -> None:
        super().__init__(connection)
        self._opening = opening

    def ensure(self, tables: Sequence[Table]) -> None:
        self._opening.ensured += [table.name for table in tables]
        super().ensure(tables)


class _Warehouse(OtherSessions):
    def __init__(self, bench: Bench, openings: list[Opening]) -> None:
        super().__init__(bench, lambda connection: _Session(connection, openings[-1]))
        self._openings = openings

    @contextmanager
    def open(self, purpose: str) -> Iterator[DuckDBSession]:
        self._openings.append(Opening(purpose))
        with super().open(purpose) as session:
            yield session


def counted(bench: Bench) -> list[Opening]:
    """From now on, each opening of the bench's warehouse."""
    openings: list[Opening] = []
    bench.warehouse = _Warehouse(bench, openings)
    return openings
