"""What the pipeline needs in a Snowflake account, as statements for an administrator to read.

``setup.sql`` and ``setup_masking.sql`` are templates, not scripts with session variables: in a
policy's body, in a grant's role and in a user's defaults Snowflake takes a literal name only, and
what is reviewed is then, to the letter, what runs. Nothing here runs a change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from semarize_pipeline import landing, vendors
from semarize_pipeline.errors import Misconfigured, PipelineError
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.port import Session
from semarize_pipeline.warehouse.tables import SCHEMA, Table

FOLDER = Path(__file__).parent
# The names follow the prefix unless they are given.
NAMES = {
    "database": "${prefix}",
    "loader_role": "${prefix}_LOADER",
    "transformer_role": "${prefix}_TRANSFORMER",
    "reporter_role": "${prefix}_REPORTER",
    "text_role": "${prefix}_TEXT_READER",
    "pipeline_role": "${prefix}_PIPELINE",
    "service_user": "${prefix}_SERVICE",
    "loading_warehouse": "${prefix}_LOADING",
    "transforming_warehouse": "${prefix}_TRANSFORMING",
    "reporting_warehouse": "${prefix}_REPORTING",
    "resource_monitor": "${prefix}_MONTHLY",
}
NUMBERS = {
    "monthly_credits": 20,
    "auto_suspend_seconds": 60,
    # Longer than the loader waits for an answer; short enough to end what nobody waits for.
    "loading_timeout_seconds": 900,
    "transforming_timeout_seconds": 3600,
    "reporting_timeout_seconds": 300,
    "queued_timeout_seconds": 600,
    # More than 1 needs Enterprise edition; landing can be asked of the vendors again.
    "landing_retention_days": 1,
    "marts_retention_days": 1,
}
PREFIX = "SEMARIZE"
# Columns that hold words of a conversation, by the name that they have in every landing table.
SAID = {
    "transcript": "transcript",
    "text": "transcript",
    "raw": "record",
    "response": "answer",
    "reason": "quotation",
    "evidence": "quotation",
}
# Reasons of ours, which quote nothing.
_OWN_REASONS = frozenset({tables.LEDGER.name, tables.QUARANTINE.name})
_IDENTIFIER = re.compile(r"[A-Z_][A-Z0-9_$]{0,200}")
_CREATED = re.compile(
    r"create (?:transient )?"
    r"(?P<kind>role|warehouse|database|schema|user|resource monitor|table|masking policy|tag) "
    r'if not exists (?P<name>[\w.$"]+)'
)


@dataclass(frozen=True, slots=True)
class Made:
    """An object that a statement makes where it is missing, such as a ``schema`` by its path."""

    kind: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, what it is for, and the heading it stands under.

    ``missing`` names parameters without a value: such a statement cannot be run yet.
    """

    section: str
    purpose: str
    sql: str
    missing: tuple[str, ...] = ()

    def makes(self, database: str) -> Made | None:
        """The object that this statement makes, if it makes one."""
        found = _CREATED.match(self.sql)
        if not found:
            return None
        path = tuple(part.strip('"').upper() for part in found["name"].split("."))
        if found["kind"] == "table":
            path = (database, *path)
        return Made(found["kind"], path)


def parameters(given: Mapping[str, str]) -> dict[str, str]:
    """Every parameter with its value. Raises Misconfigured for what SQL must not be given."""
    unknown = sorted(set(given) - {"prefix", "public_key", *NAMES, *NUMBERS})
    if unknown:
        raise Misconfigured(
            f"the set-up has no parameter {unknown[0]}; it has prefix, public_key, "
            + ", ".join([*NAMES, *NUMBERS])
        )
    prefix = _name("prefix", given.get("prefix", PREFIX))
    chosen = {"prefix": prefix}
    for name, default in NAMES.items():
        chosen[name] = _name(name, given.get(name) or Template(default).substitute(prefix=prefix))
    taken: dict[str, str] = {}
    for name in NAMES:
        if name.endswith(("_role", "_warehouse")):
            kind = f"{name.rsplit('_', 1)[1]} {chosen[name]}"
            if kind in taken:
                raise Misconfigured(f"{taken[kind]} and {name} are both {chosen[name]}; rename one")
            taken[kind] = name
    for name, number in NUMBERS.items():
        text = given.get(name) or str(number)
        if not (text.isascii() and text.isdigit()) or len(text) > 6:
            raise Misconfigured(f"{name} is {text!r}; give a whole number")
        if name.endswith("_days") and int(text) > 90:
            raise Misconfigured(f"{name} is {text}; Snowflake keeps 90 days at most")
        chosen[name] = text
    chosen["public_key"] = _key(given.get("public_key", ""))
    return chosen


def _name(parameter: str, text: str) -> str:
    name = text.strip().upper()
    if not _IDENTIFIER.fullmatch(name):
        raise Misconfigured(
            f"{parameter} is {text!r}; give a name of letters, digits and underscores"
        )
    return name


def _key(text: str) -> str:
    """A public key as Snowflake takes it: the base64 of its PEM, without the lines around it."""
    if "PRIVATE" in text:
        raise Misconfigured("public_key holds a private key; give the public half of the pair")
    body = "".join(re.sub(r"-----[^-]*-----", "", text).split())
    if not re.fullmatch(r"[A-Za-z0-9+/=]*", body):
        raise Misconfigured("public_key is not a PEM public key; see docs/snowflake-setup.md")
    return body


def landing_tables() -> list[Table]:
    """Every table whose columns are known beforehand: all but those of the kits."""
    found = {table.name: table for v in vendors.names() for table in landing.vendor_tables(v)}
    return list(found.values())


def statements(chosen: Mapping[str, str], *, masking: bool = True) -> list[Statement]:
    """The whole set-up in its order; without ``masking``, what Standard edition can do."""
    everything = landing_tables()
    filled = {
        **chosen,
        "landing_tables": _lines(_definitions(everything)),
        "tagged_columns": _lines(_tagged(chosen["database"], everything)),
    }
    files = ("setup.sql", "setup_masking.sql") if masking else ("setup.sql",)
    return [s for file in files for s in _read((FOLDER / file).read_text("utf-8"), filled)]


def _read(text: str, filled: Mapping[str, str]) -> Iterable[Statement]:
    section, purpose, group_has_ended = "", "", True
    for line in text.splitlines():
        if line.startswith("-- == "):
            section = line.removeprefix("-- == ")
        elif line.startswith("-- for: "):
            told = Template(line.removeprefix("-- for: ")).substitute(filled)
            purpose = told if group_has_ended else f"{purpose} {told}"
            group_has_ended = False
        elif line and not line.startswith("--"):
            group_has_ended = True
            needed = re.findall(r"\$\{(\w+)\}", line)
            missing = tuple(name for name in needed if not filled[name])
            for sql in Template(line).substitute(filled).splitlines():
                yield Statement(section, purpose, sql.removesuffix(";"), missing)


def _lines(each: Iterable[str]) -> str:
    return "\n".join(f"{sql};" for sql in each)


class _Unwritten:
    """A connection to an empty schema that keeps what it is told and sends nothing."""

    description = None

    def __init__(self) -> None:
        self.said: list[str] = []

    def cursor(self) -> _Unwritten:
        return self

    def execute(self, sql: str, parameters: Any = None) -> None:
        self.said.append(sql)

    def fetchall(self) -> list[Any]:
        return []

    def close(self) -> None: ...


def _definitions(wanted: Sequence[Table]) -> list[str]:
    """The loader's own statements, so that a table looks the same whoever was first to make it."""
    # Imported here: the connector is large, and only those who set up Snowflake need it.
    from semarize_pipeline.warehouse.snowflake import SnowflakeConnection, SnowflakeWarehouse

    nowhere = SnowflakeConnection(account="-", user="-", database="-", password="-")
    kept = _Unwritten()
    with SnowflakeWarehouse(nowhere, connect=lambda **_: kept).open("write the set-up") as session:
        session.ensure(wanted)
    return [sql for sql in kept.said if sql.startswith("create table")]


def said_columns(table: Table) -> dict[str, str]:
    """The columns of a landing table that hold words of a conversation, with their tag."""
    return {
        name: SAID[name]
        for name in table.column_names
        if name in SAID and not (name == "reason" and table.name in _OWN_REASONS)
    }


def _tagged(database: str, wanted: Sequence[Table]) -> list[str]:
    return [
        f'alter table {database}.{SCHEMA}."{table.name.upper()}" modify column '
        f"\"{column.upper()}\" set tag {database}.governance.what_was_said = '{tag}'"
        for table in wanted
        for column, tag in said_columns(table).items()
    ]


def existing(session: Session, wanted: Iterable[Made]) -> dict[Made, bool | None]:
    """Which objects an account has, asked with SHOW alone; None where it would not say."""
    seen: dict[str, set[str] | None] = {}
    found: dict[Made, bool | None] = {}
    for made in wanted:
        *within, name = made.path
        above = Made("schema" if len(within) == 2 else "database", tuple(within))
        if within and found.get(above) is False:
            found[made] = False
            continue
        plural = "masking policies" if made.kind == "masking policy" else f"{made.kind}s"
        where = (
            f" in {above.kind} {'.'.join(within)}"
            if within
            else f" like '{name}'"  # An account may have more of them than one answer holds.
        )
        asked = f"show {plural}{where}"
        if asked not in seen:
            try:
                seen[asked] = {str(row["name"]).upper() for row in session.query(asked)}
            except PipelineError:
                seen[asked] = None
        names = seen[asked]
        found[made] = None if names is None else name in names
    return found
