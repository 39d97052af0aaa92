"""A bench whose warehouse notes how often it is opened, and what for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench import Bench

from semarize_pipeline.warehouse.duckdb import DuckDBSession, DuckDBWarehouse
from semarize_pipeline.warehouse.tables import Table


@dataclass
class Opening:
    """One opening of the warehouse, which on Snowflake is one login."""

    purpose: str
    ensured: list[str] = field(default_factory=list)
    """The tables that were asked to be there."""


class _Session(DuckDBSession):
    opening: Opening

    def ensure(self, tables: Sequence[Table]) -> None:
        self.opening.ensured += [table.name for table in tables]
        super().ensure(tables)


class _Warehouse(DuckDBWarehouse):
    openings: list[Opening]

    @contextmanager
    def open(self, purpose: str) -> Iterator[DuckDBSession]:
        self.openings.append(Opening(purpose))
        with super().open(purpose) as session:
            session.__class__ = _Session
            session.opening = self.openings[-1]  # type: ignore[attr-defined]
            yield session


def counted(bench: Bench) -> list[Opening]:
    """From now on, each opening of the bench's warehouse."""
    openings: list[Opening] = []
    warehouse = _Warehouse(bench.folder / "warehouse.duckdb", wait_seconds=20)
    warehouse.openings = openings
    bench.warehouse = warehouse
    return openings
