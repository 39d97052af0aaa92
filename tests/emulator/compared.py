"""Prints, as JSON, what the emulator makes of statements, with its own walks and with ours.

Runs in .venv-emulator: ``python -m compared``, with the statements as JSON on its standard input.
"""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import Any

import walks
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.dialect import parse_one
from fakesnow.variables import Variables


def translated(sql: str) -> tuple[str, dict[str, Any]]:
    """The statement in DuckDB's dialect, and what the emulator noted beside it."""
    connection = SimpleNamespace(
        database="HERE", schema="S", db_path=None, variables=Variables(), table_stages=None
    )
    cursor: Any = SimpleNamespace(_conn=connection, _duck_conn=None)
    with walks.KNOWN.set(is_between=True):
        try:
            made = FakeSnowflakeCursor._transform(cursor, parse_one(sql), None)
        except NotImplementedError as error:
            return f"refused: {error}", {}
    noted = {name: repr(value) for name, value in made.args.items()}
    return made.sql(dialect="duckdb"), noted


def main() -> None:
    statements = json.load(sys.stdin)
    before = [translated(sql) for sql in statements]
    walks.apply()
    after = [translated(sql) for sql in statements]
    asked = [cares for known in walks.CARES.values() for cares in known.values()]
    json.dump(
        {"before": before, "after": after, "asked": len(asked), "care": sum(asked)}, sys.stdout
    )


if __name__ == "__main__":
    main()
