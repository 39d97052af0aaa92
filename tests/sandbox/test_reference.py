"""The tables beside the conversations fit them, and the files of them are what is made."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Any

import duckdb
import pytest
from sandbox.clients import WINDOW, Client

import semarize_sandbox
from semarize_sandbox import company, documents, reference
from semarize_sandbox.__main__ import main
from semarize_sandbox.model import VENDORS, Call

COMMITTED = Path(semarize_sandbox.__file__).parents[2] / "dbt" / "seeds" / "sandbox"
SINCE, UNTIL = date(2026, 2, 1), date(2026, 4, 30)
Records = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def made() -> Records:
    return {table.name: table.records() for table in reference.tables(SINCE, UNTIL)}


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    until = datetime.combine(UNTIL + timedelta(days=1), time(), UTC)
    return company.generate(until=until, days=(UNTIL - SINCE).days + 1)


def on(records: list[dict[str, Any]], day: date) -> list[dict[str, Any]]:
    """The states that were so on a day."""
    return [
        row
        for row in records
        if row["known_from"] <= day and (row["known_until"] is None or day < row["known_until"])
    ]


@pytest.mark.slow
def test_the_committed_files_are_what_the_command_makes(tmp_path: Path) -> None:
    assert main(["reference", "--out", str(tmp_path)]) == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {path.name for path in COMMITTED.iterdir()}
    stale = [
        name for name in names
        if (tmp_path / name).read_bytes() != (COMMITTED / name).read_bytes()
    ]  # fmt: skip
    remedy = "PYTHONPATH=include python -m semarize_sandbox reference --out dbt/seeds/sandbox"
    assert not stale, f"{stale}: write them anew with {remedy}"
    assert 500_000 < sum(path.stat().st_size for path in COMMITTED.iterdir()) < 2_000_000


@pytest.mark.slow
def test_dbt_loads_the_files_with_their_types_and_only_when_told(
    dbt_program: Path, tmp_path: Path
) -> None:
    warehouse, project = tmp_path / "warehouse.duckdb", tmp_path / "project"
    # Without the models, which dbt would read for longer than it loads the files.
    for part in ("macros", "seeds", "tests/generic"):
        shutil.copytree(COMMITTED.parents[1] / part, project / part)
    (project / "models").mkdir()
    for file in ("dbt_project.yml", "profiles.yml", "models/_groups.yml"):
        shutil.copy(COMMITTED.parents[1] / file, project / file)

    def dbt(*words: str, switch: dict[str, str]) -> str:
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(tmp_path), "DBT_DUCKDB_PATH": str(warehouse),
            "DBT_TARGET_PATH": str(tmp_path / "target"), "DBT_LOG_PATH": str(tmp_path / "logs"),
            **switch,
        }  # fmt: skip
        folders = ["--project-dir", str(project), "--profiles-dir", str(project)]
        ended = subprocess.run(
            [dbt_program, *words, *folders],
            env=environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stdout
        return ended.stdout

    listing = ("--quiet", "ls", "--resource-type", "seed", "--output", "name")
    without = dbt(*listing, switch={}).split()
    names = {path.stem for path in COMMITTED.glob("*.csv")}
    assert without
    assert not names & set(without)
    dbt("build", "--select", "path:seeds/sandbox", switch={"SANDBOX_REFERENCE": "true"})
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for table in reference.tables(SINCE, SINCE):
            columns = connection.execute(
                "select column_name, lower(data_type) from information_schema.columns "
                "where table_schema = 'reference' and table_name = ? order by ordinal_position",
                [table.name],
            ).fetchall()
            assert columns == [(column.name, column.type) for column in table.columns]
            loaded = connection.execute(f"select count(*) from reference.{table.name}").fetchall()
            with (COMMITTED / f"{table.name}.csv").open(encoding="utf-8") as file:
                assert loaded[0][0] == sum(1 for _ in csv.DictReader(file)) > 0
        won = connection.execute(
            "select is_closed, is_won is null, count(*) from reference.crm_opportunities "
            "group by all order by all"
        ).fetchall()
        assert [row[:2] for row in won] == [(False, True), (True, False)]


def test_the_committed_files_hold_the_rows_of_any_span() -> None:
    for table in reference.tables(date(2026, 5, 4), date(2026, 5, 24)):
        with (COMMITTED / f"{table.name}.csv").open(encoding="utf-8") as file:
            committed = {tuple(row) for row in csv.reader(file)}
        rows = {tuple(row) for row in csv.reader(io.StringIO(table.csv()))}
        assert len(rows) > 1, table.name
        assert rows <= committed, table.name


def test_every_table_has_its_columns_types_and_a_key() -> None:
    types = {"varchar": str, "integer": int, "double": float, "boolean": bool, "date": date}
    seen = 0
    for table in reference.tables(SINCE, UNTIL):
        names = [column.name for column in table.columns]
        assert len(set(names)) == len(names)
        assert all(column.describe.endswith(".") for column in table.columns)
        keys = Counter(tuple(row[key] for key in table.key) for row in table.records())
        assert keys
        assert max(keys.values()) == 1, table.name
        for row in table.rows:
            for value, column in zip(row, table.columns, strict=True):
                wanted = types[column.type]
                fits = value is None or type(value) is wanted
                assert fits or (wanted is float and type(value) is int), (table.name, column.name)
                seen += 1
    assert seen > 10_000


def test_owners_of_calls_are_employees_on_that_day(made: Records, calls: list[Call]) -> None:
    days: defaultdict[date, dict[str, str]] = defaultdict(dict)
    for call in calls:
        day = call.started_at.date()
        if not days[day]:
            days[day] = {row["email"]: row["left_on"] for row in on(made["crm_users"], day)
                         if row["left_on"] is None}  # fmt: skip
        assert call.owner.email in days[day]
    assert len(days) > 80
    assert all(len(employed) == 24 for employed in days.values())


def test_owners_of_opportunities_are_employees_on_that_day(made: Records) -> None:
    for day in (SINCE, date(2026, 3, 17), UNTIL):
        users = {row["user_id"]: row for row in on(made["crm_users"], day)}
        open_ones = [row for row in on(made["crm_opportunities"], day) if not row["is_closed"]]
        assert len(open_ones) > 20
        for row in open_ones:
            assert users[row["owner_user_id"]]["email"] == row["owner_email"]
            assert users[row["owner_user_id"]]["left_on"] is None


def test_opportunities_that_calls_mention_are_as_the_calls_have_them(
    made: Records, calls: list[Call]
) -> None:
    states: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in made["crm_opportunities"]:
        states[row["opportunity_id"]].append(row)
    accounts = {row["account_id"]: row["name"] for row in made["crm_accounts"]}
    checked = 0
    for call in calls:
        if call.opportunity_id is None:
            continue
        (state,) = on(states[call.opportunity_id], call.started_at.date())
        assert state["stage"].split()[0] == call.extras["deal_stage"]
        assert accounts[state["account_id"]] == call.account_name
        assert state["account_id"] == call.extras["account_id"]
        checked += 1
    assert checked > 1000


def test_the_states_of_an_opportunity_follow_one_another_and_tell_nothing_early(
    made: Records,
) -> None:
    states: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in made["crm_opportunities"]:
        states[row["opportunity_id"]].append(row)
    assert len(states) > 60
    for rows in states.values():
        for one, other in pairwise(rows):
            assert one["known_until"] == other["known_from"]
            assert not one["is_closed"]
            assert one["is_won"] is None
            assert one["closed_on"] is None
        assert rows[0]["known_from"] == rows[0]["created_on"]
        last = rows[-1]
        assert last["is_closed"]
        assert last["stage"] == ("Closed Won" if last["is_won"] else "Closed Lost")
        assert last["closed_on"] == last["known_from"]
        assert last["known_until"] is None


def test_tables_name_conversations_that_exist(made: Records, calls: list[Call]) -> None:
    there = {(call.vendor, call.id): call for call in calls}
    for name, vendor in (("cadence_activities", "salesloft"), ("csat_surveys", "callminer")):
        named = {(row["vendor"], row["conversation_id"]) for row in made[name]}
        assert len(named) > 100
        assert named <= set(there)
        assert {each for each, _ in named} == {vendor}
    steps = {(row["cadence_name"], row["step_number"]) for row in made["cadence_steps"]}
    for row in made["cadence_activities"]:
        call = there[row["vendor"], row["conversation_id"]]
        assert (row["cadence_name"], row["step_number"]) in steps
        assert row["cadence_name"] == call.extras["cadence"]
        assert row["step_number"] == call.extras["cadence_step"]


def test_fewer_calls_a_day_are_some_of_the_same_calls(made: Records) -> None:
    until = datetime.combine(UNTIL + timedelta(days=1), time(), UTC)
    fewer = company.generate(until=until, days=60, calls_per_day=2, vendors=("salesloft",))
    known = {row["conversation_id"] for row in made["cadence_activities"]}
    assert len(fewer) > 50
    assert {call.id for call in fewer} <= known


def test_customers_who_were_helped_give_better_marks(made: Records, calls: list[Call]) -> None:
    marks = {row["conversation_id"]: row["score_of_five"] for row in made["csat_surveys"]}
    assert set(marks.values()) == {1, 2, 3, 4, 5}
    skills: defaultdict[bool, list[int]] = defaultdict(list)
    people: dict[tuple[str | None, date], company.Employee] = {}
    for call in calls:
        day = call.started_at.date()
        if call.id in marks:
            people.update({(each.email, day): each for each in company.employees(day)})
            skills[people[call.owner.email, day].skill(day) > 0.6].append(marks[call.id])
    assert mean(skills[True]) > mean(skills[False]) + 0.3


@pytest.mark.parametrize("vendor", VENDORS)
def test_users_and_accounts_have_the_ids_that_the_vendor_serves(
    vendor: str, start: Callable[..., Client], calls: list[Call], made: Records
) -> None:
    low, high = WINDOW[0], WINDOW[1] - timedelta(days=2)
    given = {call.id: call for call in calls if call.vendor == vendor
             and low < call.started_at < high and not call.private}  # fmt: skip
    accounts = {row["name"]: row["service_customer_id"] for row in made["crm_accounts"]}
    client = start(vendor, list(given.values()))
    seen = 0
    for rows in client.pages(100):
        for row in rows:
            call = given[client.identity(row)]
            served = set(re.findall(r"[\w-]+", json.dumps(row)))
            assert reference.vendor_user_id(vendor, call.owner.name) in served
            if vendor == "callminer":
                assert accounts[call.account_name] in served
            seen += 1
    assert seen > 50


def test_attrition_and_rules_are_those_of_the_company(made: Records) -> None:
    left = {row["user_id"] for row in made["hr_attrition"]}
    assert left == {row["user_id"] for row in made["crm_users"] if row["left_on"]}
    custom = {row["rule"] for row in made["compliance_rules"]
              if row["is_custom"] and row["is_checked"]}  # fmt: skip
    default = {row["rule"] for row in made["compliance_rules"]
               if not row["is_custom"] and row["is_checked"]}  # fmt: skip
    assert custom == set(documents.COMPLIANCE_RULES)
    assert len(custom - default) == 2


def test_the_command_says_what_is_wrong_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reference", "--out", str(tmp_path / "x"), "--from", "2026-05-02",
                 "--to", "2026-05-01"]) == 1  # fmt: skip
    assert re.fullmatch(r"nothing was written: .*before.*\n", capsys.readouterr().err)
    with pytest.raises(SystemExit):
        main(["reference", "--out", str(tmp_path), "--from", "someday"])
    assert "2026-03-10" in capsys.readouterr().err
