"""Rows as Arrow tables with our types: a value that does not fit is an error, never a guess."""

from __future__ import annotations

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


def arrow(load: Load) -> pa.Table:
    """The load's rows with one row a key, the last of it, in the order of the first of each."""
    by_key = {tuple(row[name] for name in load.table.key): row for row in load.rows}
    rows = list(by_key.values())
    return pa.table({column.name: _array(rows, column) for column in load.table.columns})


def _array(rows: list[Row], column: Column) -> pa.Array:
    cells = [_cell(row.get(column.name), column.type) for row in rows]
    return pa.array(cells, type=_TYPES[column.type])


def _cell(value: Any, type_: Type) -> Any:
    """A Python value as its column wants it: JSON as text, all else unchanged."""
    if type_ is Type.INTEGER and isinstance(value, float) and not value.is_integer():
        raise ValueError("a fraction for a column of integers; its rest would be lost")
    if value is None or type_ is not Type.JSON or isinstance(value, Json):
        return value
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS, default=str).decode()
