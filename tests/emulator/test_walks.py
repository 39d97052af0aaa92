"""The emulator's own translation of statements, and the quicker one that tests have it make."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from unit.warehouse.emulator import PYTHON

pytestmark = pytest.mark.slow

HERE = Path(__file__).resolve().parent
STATEMENTS = """
select count(*) from (select id from a.b.c where id is null) as t
create or replace view here.s.v as (select attributes:deal_stage::varchar as stage from t)
create or replace transient table here.s.t copy grants as (select 1 as one, 'a' as two)
create table here.s.c (a varchar(10), b number(38, 0), c float, d variant, e timestamp_ntz)
create table here.s.other clone here.s.c
create schema if not exists here.s
drop schema here.s
drop table if exists here.s.t
alter table here.s.c cluster by (a, b)
alter table here.s.c add column f varchar, g double
alter session set query_tag = 'x'
use schema here.s
set n = 3
insert into here.s.c (a) select column1 from values ('a'), ('b')
insert overwrite into here.s.c select * from here.s.d
delete from here.s.c where a in (select a from d)
update here.s.c set a = upper(b:x::varchar) where c > 1
merge into here.s.c using d on c.a = d.a when matched then update set b = d.b
select dateadd(day, 3, '2023-03-03'::date), datediff(hour, '2023-01-01', b) from t
select items.index, items.value from t, lateral flatten(input => list) as items
select array_size(parse_json(a)), to_variant(a), strip_null_value(a:b), as_varchar(a) from t
select array_agg(a) within group (order by b), object_construct('a', b), array_construct(1) from t
select median(a), sum(a), avg(try_cast(b as double)), to_date(c), to_timestamp(d), sha2(e) from t
select regexp_replace(a, 'b'), regexp_substr(a, 'b', 1, 1), split(a, ','), trim(b)::varchar from t
select "Quoted", unquoted, iff(a, b, c), nvl(a, b) from t qualify row_number() over (order by a) = 1
select table_name from information_schema.tables where table_schema = 'S'
select a as b from t join u on b = u.c where b > random()
show objects in schema here.s
show terse schemas in database here
show user functions in here.s
describe table here.s.c
select current_version(), hex_encode(a), x'ff', a[0], a['b']::varchar, haversine(1, 2, 3, 4) from t
begin
commit
"""


def test_both_make_the_same_of_every_kind_of_statement() -> None:
    statements = STATEMENTS.strip().splitlines()
    done = subprocess.run(
        [PYTHON, "-m", "compared"], env={**os.environ, "PYTHONPATH": str(HERE)},
        input=json.dumps(statements), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert len(told["before"]) == len(statements)
    for sql, before, after in zip(statements, told["before"], told["after"], strict=True):
        assert before == after, sql
    assert told["asked"] > 1000, "the guard: it was the quicker one"
    assert 0 < told["care"] < told["asked"] / 5, "most care for few classes of nodes"
