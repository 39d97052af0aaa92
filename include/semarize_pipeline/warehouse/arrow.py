"""Rows as Arrow tables with our types: a value that does not fit is an error, never a guess."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from operator import itemgetter
from typing import Any

import orjson
import pyarrow as pa

from semarize_pipeline.warehouse.port import Json, Load, Row
from semarize_pipeline.warehouse.tables import Column, Type

_TYPES = {
    Type.TEXT: pa.string(),
    Type.FLOAT: pa.float64(),
    Type.INTEGER: pa.int64(),
    Type.BOOLEAN: pa.bool_(),
    Type.TIMESTAMP: pa.timestamp("us", tz="UTC"),
    Type.JSON: pa.string(),
}


class _NoPandas(MetaPathFinder):
    """Finds that there is no pandas."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError("landing needs no pandas", name=fullname)


def _spare_pandas() -> None:
    """Have pyarrow look for pandas, as it does once, when it first converts a list, and find none.

    Importing it takes longer, and more memory, than what an hour lands, and nothing here is a data
    frame. Whatever asks pyarrow for one later has it imported all the same.
    """
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([])
    finally:
        sys.meta_path.remove(finder)


_spare_pandas()


def arrow(load: Load) -> pa.Table:
    """The load's rows with one row a key, the last of it, in the order of the first of each."""
    key = itemgetter(*load.table.key)
    rows = list({key(row): row for row in load.rows}.values())
    return pa.table({column.name: _array(rows, column) for column in load.table.columns})


def _array(rows: list[Row], column: Column) -> pa.Array:
    """A column's cells: JSON as text, all else unchanged."""
    name = column.name
    cells = [row.get(name) for row in rows]
    if column.type is Type.JSON:
        cells = [_json(value) for value in cells]
    elif column.type is Type.INTEGER and any(
        isinstance(value, float) and not value.is_integer() for value in cells
    ):
        raise ValueError("a fraction for a column of integers; its rest would be lost")
    return pa.array(cells, type=_TYPES[column.type])


def _json(value: Any) -> Any:
    if value is None or isinstance(value, Json):
        return value
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS, default=str).decode()
