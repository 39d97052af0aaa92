"""The statements of docs/bi.md run, as DuckDB's and as Snowflake's, and read what reporters may."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pytest
from unit.warehouse.emulator import PYTHON

from semarize_dashboards.pages import PAGES
from semarize_dashboards.source import WORDS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "bi.md").read_text()
STATEMENTS: dict[str, str] = dict(
    re.findall(r"^### `(\w+)`\n[^#]*?```sql\n(.*?)```", DOCUMENT, re.M | re.S)
)
# The parser of both dialects lives with the emulator, in an environment of its own.
_AS_SNOWFLAKE = """
import json, sys
import sqlglot
from sqlglot import exp
told = {}
for slug, sql in json.load(sys.stdin).items():
    tree = sqlglot.parse_one(sql, read="snowflake")
    told[slug] = {
        "duckdb": tree.sql(dialect="duckdb"),
        "tables": sorted({table.db for table in tree.find_all(exp.Table)}),
        "columns": sorted({column.name for column in tree.find_all(exp.Column)}),
        "functions": sorted(
            {type(each).__name__ for each in tree.find_all(exp.Func, exp.Filter, exp.Anonymous)}
        ),
    }
json.dump(told, sys.stdout)
"""

# Written and meant alike in both warehouses. Where another is needed, look it up in both first.
_FUNCTIONS = {"And", "Cast", "Coalesce", "Max", "Nullif", "Sum"}


@pytest.fixture(scope="module")
def as_snowflake() -> dict[str, Any]:
    """Each statement as somebody reads it who takes it for Snowflake's."""
    ended = subprocess.run(
        [str(PYTHON), "-c", _AS_SNOWFLAKE],
        input=json.dumps(STATEMENTS),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    told: dict[str, Any] = json.loads(ended.stdout)
    return told


def test_every_page_has_a_statement() -> None:
    assert {page.slug for page in PAGES} - set(STATEMENTS) == set()
    assert len(STATEMENTS) == DOCUMENT.count("```sql")


@pytest.mark.parametrize("slug", sorted(STATEMENTS))
def test_it_gives_rows_in_both_dialects(
    slug: str, company_file: Path, as_snowflake: dict[str, Any]
) -> None:
    with duckdb.connect(str(company_file), read_only=True) as connection:
        read = connection.execute(STATEMENTS[slug])
        names = [column[0] for column in read.description or []]
        rows = read.fetchall()
        assert rows
        assert len(names) == len(set(names))
        assert len(names) >= 5
        for name, values in zip(names, zip(*rows, strict=True), strict=True):
            assert any(value is not None for value in values), f"{name} is always empty"
        assert set(as_snowflake[slug]["functions"]) <= _FUNCTIONS
        translated = connection.execute(as_snowflake[slug]["duckdb"])
        assert [column[0] for column in translated.description or []] == names
        assert sorted(map(repr, translated.fetchall())) == sorted(map(repr, rows))


@pytest.mark.parametrize("slug", sorted(STATEMENTS))
def test_it_reads_what_its_role_may_and_keeps_versions_apart(
    slug: str, as_snowflake: dict[str, Any]
) -> None:
    told = as_snowflake[slug]
    assert told["tables"] == (["workforce"] if slug == "attrition" else ["marts"])
    assert WORDS.isdisjoint(told["columns"])
    versions = [name for name in told["columns"] if "kit_version_id" in name]
    assert versions or slug == "overview"
