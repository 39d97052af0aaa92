"""Rows as Arrow tables with our types: a value that does not fit is an error, never a guess."""

from __future__ import annotations

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
    elif column.type is Type.TIMESTAMP and cells and cells.count(cells[0]) == len(cells):
        # A load's stamp is one moment: converting it for each row costs as much as their words.
        return pa.repeat(pa.scalar(cells[0], type=_TYPES[column.type]), len(cells))
    return pa.array(cells, type=_TYPES[column.type])


def _json(value: Any) -> Any:
    if value is None or isinstance(value, Json):
        return value
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS, default=str).decode()
