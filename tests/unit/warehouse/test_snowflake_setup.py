"""The set-up of a Snowflake account, read as text: nothing here can run it.

Grants are read from the statements themselves, and each statement that the loader sends, as a
recording has it, must be possible with them.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector.errors as sf
import yaml
from unit.support import NOON
from unit.warehouse.emulator import PYTHON, emulated

from semarize_pipeline import vendors
from semarize_pipeline.errors import Misconfigured
from semarize_pipeline.warehouse import snowflake_setup, tables
from semarize_pipeline.warehouse.port import Load
from semarize_pipeline.warehouse.snowflake import SnowflakeConnection, SnowflakeWarehouse
from semarize_pipeline.warehouse.snowflake_setup import (
    NAMES,
    NUMBERS,
    Made,
    Statement,
    existing,
    landing_tables,
    parameters,
    said_columns,
    statements,
)

ROOT = Path(__file__).resolve().parents[3]
DBT = ROOT / "dbt"
CHOSEN = parameters({"prefix": "calls", "public_key": "QUJD"})
ALL = statements(CHOSEN)
TEMPLATES = sorted((ROOT / "include/semarize_pipeline/warehouse").glob("setup*.sql"))
# Fixed in the code and in dbt_project.yml, so not for an account to name.
SCHEMAS = {"LANDING", "SNAPSHOTS", "STAGING", "INTERMEDIATE", "MARTS", "WORKFORCE", "GOVERNANCE"}
OURS = {
    name: CHOSEN[f"{name}_role"]
    for name in ("loader", "transformer", "reporter", "text", "pipeline")
}


def sql(*beginnings: str) -> list[str]:
    found = [each.sql for each in ALL if each.sql.startswith(beginnings)]
    assert found, f"nothing begins with {beginnings}"
    return found


# ---------------------------------------------------------------------- run again


def test_the_whole_can_be_run_again() -> None:
    """Each statement makes what is missing, or sets what it would set again."""
    may = re.compile(
        r"use (role|database) |create .*? if not exists |grant .* to (role|user) "
        r"|alter (warehouse|schema|user|resource monitor) \S+ set "
        r"|alter masking policy \S+ set body |alter tag \S+ set masking policy .* force$"
        r"|alter table \S+ modify column \S+ set tag "
    )
    assert len(ALL) > 60
    for each in ALL:
        assert may.match(each.sql), each.sql


def test_nothing_is_destroyed() -> None:
    for template in TEMPLATES:
        text = template.read_text().lower()
        for word in ("drop ", "truncate", "delete ", "or replace", "revoke", "undrop", "swap"):
            said = [line for line in text.splitlines() if word in line and line[:2] != "--"]
            assert not said, f"{template.name}: {said}"


def test_no_ownership_is_promised_for_the_future() -> None:
    """A second time Snowflake refuses that grant (error 3504)."""
    assert not [each.sql for each in ALL if "ownership" in each.sql]


def test_a_statement_is_one_line_and_no_comment_ends_one() -> None:
    """The simplest of tools can tell them apart, and none takes one for its own template."""
    for template in TEMPLATES:
        for line in template.read_text().splitlines():
            if line.startswith("--") or not line:
                assert ";" not in line, line
            elif not line.startswith("${"):
                assert line.count(";") == 1, line
                assert line.endswith(";"), line
    for each in ALL:
        assert not re.search(r"[;&\n]|<%|\$\{", each.sql), each.sql


def test_every_statement_says_what_it_is_for() -> None:
    for each in ALL:
        assert each.section, each.sql
        assert 10 < len(each.purpose) < 250, each.sql


def test_the_emulators_parser_reads_all_of_it() -> None:
    """sqlglot knows Snowflake's grammar in part; what it does not know it takes as a command."""
    code = (
        "import json, sys, logging; logging.disable(); import sqlglot\n"
        "for text in json.load(sys.stdin):\n"
        "    (one,) = sqlglot.parse(text, dialect='snowflake')\n"
        "    print(type(one).__name__)"
    )
    done = subprocess.run(
        [str(PYTHON), "-c", code],
        input=json.dumps([each.sql for each in ALL]),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    read = done.stdout.split()
    assert len(read) == len(ALL)
    assert read.count("Create") >= len(landing_tables())


# ---------------------------------------------------------------------- names


def test_every_object_is_named_by_a_parameter() -> None:
    """With a prefix of its own an account can hold several, and nothing of ours is fixed."""
    other = statements(parameters({"prefix": "elsewhere"}))
    assert len(other) == len(ALL)
    named = 0
    for mine, theirs in zip(ALL, other, strict=True):
        assert mine.sql.replace("CALLS", "ELSEWHERE").replace("QUJD", "") == theirs.sql
        named += "CALLS" in mine.sql
    assert named > 60
    for template in TEMPLATES:
        assert "SEMARIZE" not in template.read_text().upper().replace("MAKE SNOWFLAKE", "")


@pytest.mark.parametrize("name", [*NAMES, *NUMBERS])
def test_each_parameter_is_used_and_can_be_given(name: str) -> None:
    value = "7" if name in NUMBERS else "given_$1"
    changed = statements(parameters({name: value}))
    usual = statements(parameters({}))
    assert changed != usual
    used = [each.sql for each in changed if value.upper() in each.sql]
    assert used


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ({"database": "a; drop database b"}, "letters, digits"),
        ({"database": "a.b"}, "letters, digits"),
        ({"loader_role": '"x"'}, "letters, digits"),
        ({"prefix": ""}, "letters, digits"),
        ({"prefix": "1st"}, "letters, digits"),
        ({"monthly_credits": "20; x"}, "whole number"),
        ({"monthly_credits": "-1"}, "whole number"),
        ({"landing_retention_days": "91"}, "90 days"),
        ({"public_key": "a' x = '"}, "not a PEM"),
        ({"public_key": "-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----"}, "private"),
        ({"loading_warehouse": "x", "reporting_warehouse": "X"}, "rename one"),
        ({"loader_role": "x", "reporter_role": "X"}, "rename one"),
        ({"colour": "blue"}, "no parameter colour"),
    ],
)
def test_what_cannot_be_a_name_or_a_number(given: dict[str, str], remedy: str) -> None:
    with pytest.raises(Misconfigured, match=remedy) as caught:
        parameters(given)
    assert "AA" not in str(caught.value), "a key is never repeated"


def test_a_public_key_may_come_as_pem() -> None:
    pem = "-----BEGIN PUBLIC KEY-----\nQUKEYJD/\nPUBLIC+=\n-----END PUBLIC KEY-----\n"
    assert parameters({"public_key": pem})["public_key"] == "QUKEYJD/PUBLIC+="


def test_without_a_key_its_statement_cannot_be_run() -> None:
    missing = [each for each in statements(parameters({})) if each.missing]
    assert [each.missing for each in missing] == [("public_key",)]
    assert not [each for each in ALL if each.missing]
    (user,) = sql("create user")
    assert "type = service" in user
    assert "password" not in user


# ---------------------------------------------------------------------- what it makes


def test_the_schemas_are_those_of_the_loader_and_of_dbt() -> None:
    project = yaml.safe_load((DBT / "dbt_project.yml").read_text())
    of_dbt = {
        settings["+schema"].upper()
        for part in ("models", "snapshots", "seeds")
        for settings in _folders(project[part]["semarize_conversations"])
    }
    assert of_dbt == {"SNAPSHOTS", "STAGING", "INTERMEDIATE", "MARTS", "WORKFORCE"}
    made = {m.path[1] for s in ALL if (m := s.makes("CALLS")) and m.kind == "schema"}
    assert made == SCHEMAS == of_dbt | {tables.SCHEMA.upper(), "GOVERNANCE"}


def _folders(settings: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Settings that name a schema, without those of the sandbox: its tables stay out of yours."""
    found = [settings] if "+schema" in settings else []
    for name, value in settings.items():
        if isinstance(value, dict) and name != "sandbox":
            found += _folders(value)
    return found


def test_the_landing_tables_are_the_loaders_own() -> None:
    made = {m.path[2] for s in ALL if (m := s.makes("CALLS")) and m.kind == "table"}
    assert made == {table.name.upper() for table in landing_tables()}
    assert len(made) == 2 * len(vendors.names()) + len(tables.SHARED)
    at = [each.sql for each in ALL]
    first = next(n for n, each in enumerate(at) if each.startswith("create table"))
    assert at[first - 2 : first] == [f"use role {OURS['loader']}", "use database CALLS"]
    (runs,) = [each for each in at if '."SEMARIZE__RUNS" (' in each]
    assert '"RESPONSE" variant' in runs
    assert '"SUBMITTED_AT" timestamp_tz' in runs


def test_costs_are_bounded() -> None:
    (monitor,) = sql("create resource monitor")
    assert "frequency = monthly" in monitor
    for words in ("do notify", "do suspend on", "do suspend_immediate"):
        assert words in monitor
    for purpose in ("loading", "transforming", "reporting"):
        name = CHOSEN[f"{purpose}_warehouse"]
        (made,) = sql(f"create warehouse if not exists {name} ")
        assert "warehouse_size = xsmall" in made
        assert "initially_suspended = true" in made
        settings = " ".join(sql(f"alter warehouse {name} set "))
        for setting in (
            "auto_suspend = 60 ",
            "auto_resume = true",
            "statement_timeout_in_seconds = ",
            "statement_queued_timeout_in_seconds = ",
            f"resource_monitor = {CHOSEN['resource_monitor']}",
        ):
            assert setting in settings, name


def test_retention_is_said_for_every_schema_with_data() -> None:
    for schema in SCHEMAS - {"GOVERNANCE"}:
        assert sql(f"alter schema CALLS.{schema.lower()} set data_retention_time_in_days = ")
    for schema in ("staging", "intermediate", "marts", "workforce"):
        assert sql(f"create transient schema if not exists CALLS.{schema} "), "dbt can rebuild it"
    for schema in ("landing", "snapshots"):
        assert sql(f"create schema if not exists CALLS.{schema} "), "what dbt cannot rebuild"


# ---------------------------------------------------------------------- masking


def test_every_column_with_words_is_tagged() -> None:
    tagged = {
        (m[1].lower(), m[2].lower())
        for each in sql("alter table")
        if (
            m := re.match(
                r'alter table CALLS\.landing\."(\w+)" modify column "(\w+)" set tag', each
            )
        )
    }
    assert len(tagged) == len(sql("alter table"))
    wanted = {("semarize__runs", "response"), ("quarantine", "raw")}
    wanted |= {("semarize__signals", name) for name in ("reason", "evidence")}
    for vendor in vendors.names():
        wanted |= {(f"{vendor}__conversations", name) for name in ("transcript", "raw")}
        wanted.add((f"{vendor}__utterances", "text"))
    assert tagged == wanted
    by_name = {table.name: table for table in landing_tables()}
    for table, column in tagged:
        assert column in by_name[table].column_names


def test_a_new_column_for_words_has_to_be_decided_on() -> None:
    """Text and JSON in landing is either tagged or known to hold no words of a conversation."""
    known = {
        *("conversation_id", "title", "channel", "direction", "owner_id", "owner_name"),
        *("owner_email", "account_name", "opportunity_id", "participants", "url", "attributes"),
        *("transcript_status", "transcript_hash", "_content_hash", "content_hash", "_loaded_by"),
        *("listing_hash", "campaign"),
        *("speaker", "speaker_role", "idempotency_key", "run_id", "vendor", "kit_code"),
        *("kit_name", "kit_version_id", "status", "score_status", "error_code", "error_message"),
        *("brick_key", "value_type", "value_text", "value_list", "quarantine_id", "stage"),
        *("reason", "load_id", "kind", "invocation_id", "node_id", "resource_type", "message"),
        *("_redaction", "erasure_id", "subject_hash", "requested_by", "removed"),
    }
    texts = (tables.Type.TEXT, tables.Type.JSON)
    undecided = {
        f"{table.name}.{column.name}"
        for table in landing_tables()
        for column in table.columns
        if column.type in texts and column.name not in {*said_columns(table), *known}
    }
    assert not undecided, "tag them in snowflake_setup.SAID, or name them here"


def test_each_type_of_a_tagged_column_has_a_policy() -> None:
    policies = sql("create masking policy")
    types = {
        column.type
        for table in landing_tables()
        for column in table.columns
        if column.name in said_columns(table)
    }
    assert types == {tables.Type.TEXT, tables.Type.JSON}
    assert ["(said varchar) returns varchar" in p for p in policies] == [True, False]
    assert ["(said variant) returns variant" in p for p in policies] == [False, True]
    for policy in policies:
        name, body = re.match(r".* exists (\S+) as .* -> (.*)", policy).groups()  # type: ignore[union-attr]
        shown = f"said is null or is_role_in_session('{OURS['text']}')"
        assert re.fullmatch(
            rf"case when {re.escape(shown)} then said else (to_variant\()?'\(masked\)'\)? end", body
        )
        assert sql(f"alter masking policy {name} set body -> {body}")
        assert f"masking policy {name}" in sql("alter tag")[0]


def test_masking_can_be_left_out_and_comes_last() -> None:
    standard = statements(CHOSEN, masking=False)
    assert ALL[: len(standard)] == standard
    for each in standard:
        assert not re.search(r"masking policy|\btag\b|governance", each.sql), each.sql
    assert all("Enterprise" in each.section for each in ALL[len(standard) :])
    kept = [each.sql for each in standard if "retention" in each.sql]
    assert all(int(each.split()[-1]) <= 1 for each in kept), "Standard edition keeps one day"


# ---------------------------------------------------------------------- grants


@dataclass
class Grants:
    """Who may what: role → (privilege, kind, where), and role → the roles it inherits."""

    direct: dict[str, set[tuple[str, str, str]]] = field(default_factory=lambda: defaultdict(set))
    inherits: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def read(cls, wanted: Iterable[Statement]) -> Grants:
        found = cls()
        for each in wanted:
            if not each.sql.startswith("grant "):
                continue
            role = re.fullmatch(r"grant role (\w+) to (role|user) (\w+)", each.sql)
            if role:
                if role[2] == "role":
                    found.inherits[role[3]].add(role[1])
                continue
            told = re.fullmatch(
                r"grant (?P<what>[\w ,]+) on (?P<scope>all |future )?(?P<kind>\w+) "
                r"(?:in schema )?(?P<where>\S+) to role (?P<role>\w+)",
                each.sql,
            )
            assert told, f"cannot be read: {each.sql}"
            kind = (told["scope"] or "") + told["kind"]
            for privilege in told["what"].split(", "):
                found.direct[told["role"]].add((privilege, kind, told["where"].upper()))
        return found

    def of(self, role: str) -> set[tuple[str, str, str]]:
        found = set(self.direct[role])
        for other in self.inherits[role]:
            found |= self.of(other)
        return found


GRANTS = Grants.read(ALL)


def test_each_role_has_these_grants_and_no_other() -> None:
    use_database = ("usage", "database", "CALLS")
    landing = "CALLS.LANDING"
    assert GRANTS.direct[OURS["loader"]] == {
        use_database,
        ("usage", "schema", landing),
        ("create table", "schema", landing),
        ("usage", "warehouse", CHOSEN["loading_warehouse"]),
    }
    assert GRANTS.direct[OURS["transformer"]] == {
        use_database,
        ("usage", "schema", "CALLS.SNAPSHOTS"),
        ("create table", "schema", "CALLS.SNAPSHOTS"),
        ("usage", "schema", landing),
        ("select", "all tables", landing),
        ("select", "future tables", landing),
        ("usage", "warehouse", CHOSEN["transforming_warehouse"]),
        *(
            (privilege, "schema", f"CALLS.{schema}")
            for privilege in ("usage", "create table", "create view")
            for schema in ("STAGING", "INTERMEDIATE", "MARTS", "WORKFORCE")
        ),
    }
    assert GRANTS.direct[OURS["reporter"]] == {
        use_database,
        ("usage", "schema", "CALLS.MARTS"),
        ("usage", "warehouse", CHOSEN["reporting_warehouse"]),
        *(
            ("select", f"{when} {kind}", "CALLS.MARTS")
            for when in ("all", "future")
            for kind in ("tables", "views")
        ),
    }
    assert set(GRANTS.direct) == {OURS[name] for name in ("loader", "transformer", "reporter")}


def test_reporters_reach_nothing_in_landing_and_no_text() -> None:
    reach = GRANTS.of(OURS["reporter"])
    assert reach
    assert not [each for each in reach if "LANDING" in each[2] or "STAGING" in each[2]]
    assert not [each for each in reach if "WORKFORCE" in each[2]], "that is for HR to say"
    assert OURS["text"] not in GRANTS.inherits[OURS["reporter"]]


def test_the_roles_stand_below_sysadmin_and_one_role_has_both() -> None:
    both = {OURS["loader"], OURS["transformer"]}
    assert GRANTS.inherits[OURS["pipeline"]] == both
    assert GRANTS.inherits["sysadmin"] == {OURS["pipeline"], OURS["reporter"]}
    for role in both:
        assert GRANTS.inherits[role] == {OURS["text"]}
    assert sql(f"grant role {OURS['pipeline']} to user {CHOSEN['service_user']}")
    (user,) = sql("create user")
    assert f"default_role = {OURS['pipeline']} " in user


def test_who_acts_is_who_may() -> None:
    """USERADMIN makes roles, SECURITYADMIN gives them; ACCOUNTADMIN only where it must."""
    acting = ""
    seen: dict[str, set[str]] = defaultdict(set)
    for each in ALL:
        if each.sql.startswith("use role "):
            acting = each.sql.removeprefix("use role ")
        else:
            seen[acting].add(" ".join(each.sql.split()[:2]))
    assert seen.pop("useradmin") == {"create role", "create user", "alter user"}
    assert {each.split()[0] for each in seen.pop("securityadmin")} == {"grant"}
    assert seen.pop("sysadmin") == {
        *("create warehouse", "alter warehouse", "create database", "create schema"),
        *("create transient", "alter schema"),
    }
    assert seen.pop(OURS["loader"]) == {"use database", "create table"}
    assert seen.pop("accountadmin") == {
        *("create resource", "alter resource", "alter warehouse", "create schema"),
        *("create masking", "alter masking", "create tag", "alter tag", "alter table"),
    }
    assert not seen


def test_an_owner_cannot_give_others_access() -> None:
    made = sql("create schema", "create transient schema")
    assert len(made) == len(SCHEMAS)
    assert all(" with managed access " in each for each in made)


# ---------------------------------------------------------------------- what the code needs


class Recorded:
    """The far side: what it is told, and answers for what it is asked about its tables."""

    def __init__(self, columns: list[tuple[Any, ...]] | None = None) -> None:
        self.said: list[str] = []
        self.columns = columns or []
        self.fails = ""
        self.description: list[tuple[str, int]] = []
        self._answer: list[tuple[Any, ...]] = []

    def connect(self, **_: Any) -> Recorded:
        return self

    def cursor(self) -> Recorded:
        return self

    def execute(self, said: str, parameters: Any = None) -> None:
        self.said.append(said)
        self.description, self._answer = [], []
        if "information_schema.columns" in said:
            names = ("TABLE_NAME", "COLUMN_NAME", "DATA_TYPE", "NUMERIC_SCALE")
            self.description, self._answer = [(n, 2) for n in names], self.columns
        elif "information_schema.schemata" in said:
            self.description, self._answer = [("SCHEMA_NAME", 2)], [("LANDING",)]
        if self.fails and said.startswith(self.fails):
            raise sf.ProgrammingError(msg="refused", errno=100038)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._answer

    def close(self) -> None: ...


def recorded() -> list[str]:
    """All that is sent in a first run, in one that finds a column missing, and in a failure."""
    said: list[str] = []
    wanted = tables.utterances("gong")
    row = {"conversation_id": "c", "position": 0, "_loaded_at": NOON}
    narrow = [(wanted.name.upper(), "CONVERSATION_ID", "TEXT", None)]
    # What a task that was killed long ago left: it is dropped.
    narrow.append((f"INCOMING_20200101000000_{'A' * 32}", "CONVERSATION_ID", "TEXT", None))
    for columns, fails in (([], ""), (narrow, ""), (narrow, "merge")):
        far = Recorded(columns)
        far.fails = fails
        connection = SnowflakeConnection(account="a", user="u", database="CALLS", password="p")
        with SnowflakeWarehouse(connection, connect=far.connect).open("a test") as session:
            session.ensure([wanted])
            try:
                session.land([Load(wanted, [row], whole="conversation_id")])
            except Misconfigured:
                assert fails
            session.query("select conversation_id from landing.gong__utterances")
        said += far.said
    return said


# What a statement of the loader needs. `owner` is whoever made the table: Snowflake asks for the
# ownership of a table to alter or drop it and to use its own stage, and it includes all else.
NEEDS = {
    r"select .* from information_schema\.": ["usage database"],
    r"select .* from landing\.": ["usage database", "usage schema", "owner", "usage warehouse"],
    r"create (transient )?table (if not exists )?landing\.": [
        "usage schema",
        "create table schema",
    ],
    r"alter table landing\.\S+ add column if not exists ": ["usage schema", "owner"],
    r"put 'file://.*' @landing\.%incoming_": ["usage schema", "owner"],
    r"copy into landing\.incoming_": ["usage schema", "owner", "usage warehouse"],
    r"(merge into|delete from) landing\.": ["usage schema", "owner", "usage warehouse"],
    r"drop table if exists landing\.(incoming|INCOMING)_": ["usage schema", "owner"],
    r"(begin|commit|rollback)$": [],
}


@pytest.mark.parametrize("role", ["loader", "pipeline"])
def test_all_that_the_loader_sends_is_granted(role: str) -> None:
    reach = GRANTS.of(OURS[role])
    has = {f"{privilege} {kind}" for privilege, kind, where in reach if where == "CALLS.LANDING"}
    has |= {
        f"{privilege} {kind}" for privilege, kind, _ in reach if kind in ("database", "warehouse")
    }
    # The tables of the set-up are the loader's, whom the other role inherits; whoever makes a
    # table later owns it.
    roles = {OURS[role], *GRANTS.inherits[OURS[role]]}
    makers = [each.sql for each in ALL if each.sql == f"use role {OURS['loader']}"]
    if makers and OURS["loader"] in roles and "create table schema" in has:
        has.add("owner")
    met = set()
    for statement in recorded():
        needed = [form for form in NEEDS if re.match(form, statement)]
        assert len(needed) == 1, f"which privilege does it need? {statement[:90]}"
        met.add(needed[0])
        assert set(NEEDS[needed[0]]) <= has, statement[:90]
    assert met == set(NEEDS), "the recording has a statement of every form"


def test_a_schema_in_place_is_not_made_again() -> None:
    """The loader's role may not make schemas."""
    assert not [said for said in recorded() if "create schema" in said]
    assert not [each for each in GRANTS.of(OURS["pipeline"]) if each[0] == "create schema"]


def test_all_that_dbt_makes_is_granted() -> None:
    """dbt replaces what it owns: views, tables, seeds; each needs its CREATE on its schema."""
    project = yaml.safe_load((DBT / "dbt_project.yml").read_text())
    needed: set[tuple[str, str]] = set()
    for settings in _folders(project["models"]["semarize_conversations"]):
        needed.add((f"create {settings['+materialized']}", settings["+schema"].upper()))
    for settings in _folders(project["seeds"]["semarize_conversations"]):
        needed.add(("create table", settings["+schema"].upper()))
    assert len(needed) >= 4
    # A unit test makes a table beside its model for a moment.
    needed |= {("create table", schema) for _, schema in needed}
    for role in ("transformer", "pipeline"):
        reach = GRANTS.of(OURS[role])
        for privilege, schema in needed:
            assert privilege in ("create view", "create table"), "and which grant is that?"
            assert (privilege, "schema", f"CALLS.{schema}") in reach
        for when in ("all", "future"):
            assert ("select", f"{when} tables", "CALLS.LANDING") in reach
    kinds = set(
        re.findall(r"materialized='?(\w+)", "".join(p.read_text() for p in DBT.rglob("*.sql")))
    )
    assert kinds <= {"table", "incremental"}, "tables, then: every schema has their grant"


# ---------------------------------------------------------------------- what is there already


class Answering:
    """A session that knows these objects and keeps what it was asked."""

    def __init__(self, answers: Mapping[str, list[str]]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def query(self, asked: str, parameters: Any = ()) -> list[dict[str, Any]]:
        self.asked.append(asked)
        if asked not in self.answers:
            raise Misconfigured("hidden")
        return [{"name": name, "owner": "SYSADMIN"} for name in self.answers[asked]]


def test_what_is_there_is_asked_with_show_alone() -> None:
    session: Any = Answering(
        {
            "show databases like 'CALLS'": ["CALLS"],
            "show roles like 'A_ROLE'": ["AXROLE"],  # An underscore stands for any character.
            "show schemas in database CALLS": ["landing", "INFORMATION_SCHEMA"],
            "show tables in schema CALLS.LANDING": ["LEDGER"],
        }
    )
    expected: dict[Made, bool | None] = {
        Made("database", ("CALLS",)): True,
        Made("role", ("A_ROLE",)): False,
        Made("user", ("SOMEBODY",)): None,
        Made("schema", ("CALLS", "LANDING")): True,
        Made("schema", ("CALLS", "GOVERNANCE")): False,
        Made("table", ("CALLS", "LANDING", "LEDGER")): True,
        Made("table", ("CALLS", "LANDING", "LOADS")): False,
        Made("tag", ("CALLS", "GOVERNANCE", "T")): False,
    }
    assert existing(session, expected) == expected
    assert all(asked.startswith("show ") for asked in session.asked)
    assert len(session.asked) == len(set(session.asked)), "each question once"


def test_in_a_missing_database_nothing_is_asked() -> None:
    session: Any = Answering({"show databases like 'CALLS'": []})
    made = [m for each in ALL if (m := each.makes("CALLS")) and len(m.path) > 1]
    assert len(made) > 20
    found = existing(session, [Made("database", ("CALLS",)), *made])
    assert set(found.values()) == {False}
    assert len(session.asked) == 1


def test_the_emulator_is_asked(emulator: int) -> None:
    """It knows databases, schemas, tables, users and warehouses, and has no roles."""
    warehouse = emulated(emulator, "CALLS_PLANNED")
    with warehouse.open("a test") as session:
        session.ensure([tables.LOADS])
        chosen = parameters({"database": "calls_planned"})
        made = [m for s in statements(chosen) if (m := s.makes("CALLS_PLANNED"))]
        found = existing(session, made)
    there = {each.path for each, known in found.items() if known}
    assert there == {
        ("CALLS_PLANNED",),
        ("CALLS_PLANNED", "LANDING"),
        ("CALLS_PLANNED", "LANDING", "LOADS"),
    }
    assert found[Made("table", ("CALLS_PLANNED", "LANDING", "LEDGER"))] is False
    assert {each.kind for each, known in found.items() if known is None} >= {"role"}


def test_the_reader_of_grants_follows_inheritance() -> None:
    told = [
        Statement("s", "p", "grant role A to role B"),
        Statement("s", "p", "grant role B to role C"),
        Statement("s", "p", "grant select on all tables in schema D.S to role A"),
    ]
    assert Grants.read(told).of("C") == {("select", "all tables", "D.S")}
    assert TEMPLATES[0].parent == snowflake_setup.FOLDER
