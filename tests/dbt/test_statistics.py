"""The statistics of dbt's macros against the same worked out in Python, and printed examples.

dbt renders the macros for each warehouse; the SQL runs over made-up cases on DuckDB and on the
emulator of Snowflake.
"""

from __future__ import annotations

import math
import statistics
import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import duckdb
import pytest
from unit.warehouse.emulator import emulated

pytestmark = pytest.mark.slow

Z = statistics.NormalDist().inv_cdf(0.975)
PROPORTIONS = """
select
    case_id, found, cases, other_found, other_cases,
    {{ wilson_lower('found', 'cases') }} as lower_bound,
    {{ wilson_upper('found', 'cases') }} as upper_bound,
    {{ ratio_lower('found', 'cases', 'other_found', 'other_cases') }} as ratio_lower,
    {{ ratio_upper('found', 'cases', 'other_found', 'other_cases') }} as ratio_upper,
    {{ t_quantile('cases') }} as t
from proportions order by case_id
"""
NEWCOMBE = """
select
    {{ newcombe_lower('p', 'p_lower', 'q', 'q_upper') }} as difference_lower,
    {{ newcombe_upper('p', 'p_upper', 'q', 'q_lower') }} as difference_upper
from (
    select
        case_id,
        cast(found as double) / cases as p,
        cast(other_found as double) / other_cases as q,
        {{ wilson_lower('found', 'cases') }} as p_lower,
        {{ wilson_upper('found', 'cases') }} as p_upper,
        {{ wilson_lower('other_found', 'other_cases') }} as q_lower,
        {{ wilson_upper('other_found', 'other_cases') }} as q_upper
    from proportions
    where cases > 0 and other_cases > 0
) as bounded order by case_id
"""
CORRELATIONS = """
select
    *,
    {{ zou_lower('a', 'a_lower', 'b', 'b_upper', 'ab') }} as difference_lower,
    {{ zou_upper('a', 'a_upper', 'b', 'b_lower', 'ab') }} as difference_upper
from (
    select
        *,
        {{ fisher_lower('a', 'cases') }} as a_lower,
        {{ fisher_upper('a', 'cases') }} as a_upper,
        {{ fisher_lower('b', 'cases') }} as b_lower,
        {{ fisher_upper('b', 'cases') }} as b_upper
    from correlations
) as bounded order by case_id
"""
SAMPLES = """
select sample_id, {{ correlation('x', 'y') }} as r
from observations group by sample_id order by sample_id
"""
MEANS = """
select
    sample_id, mean, standard_error,
    {{ mean_lower('mean', 'standard_error', 'group_count') }} as lower_bound,
    {{ mean_upper('mean', 'standard_error', 'group_count') }} as upper_bound
from (
    select
        sample_id,
        max(mean) as mean,
        count(*) as group_count,
        {{ grouped_standard_error('sum(power(total - size * mean, 2))', 'sum(size)', 'count(*)') }}
            as standard_error
    from (
        select
            grouped.sample_id, size, total, mean
        from (
            select sample_id, group_id, count(*) as size, sum(x) as total
            from observations group by sample_id, group_id
        ) as grouped
        inner join (
            select sample_id, avg(x) as mean from observations group by sample_id
        ) as means on grouped.sample_id = means.sample_id
    ) as groups_
    group by sample_id
) as summed order by sample_id
"""
Row = dict[str, Any]


def proportions() -> list[Row]:
    """Every share of small numbers, some of large ones, and the two that Newcombe prints."""
    rng = Random(1)
    pairs = [(found, cases) for cases in range(8) for found in range(cases + 1)]
    for _ in range(60):
        cases = rng.randint(8, 3000)
        pairs.append((rng.randint(0, cases), cases))
    rows = [(*pair, *rng.choice(pairs)) for pair in pairs]
    rows.append((56, 70, 48, 80))
    names = ("found", "cases", "other_found", "other_cases")
    return [{"case_id": n, **dict(zip(names, row, strict=True))} for n, row in enumerate(rows)]


def correlations() -> list[Row]:
    """Correlations that three columns can have, and the example that Zou prints."""
    rng = Random(2)
    rows: list[Row] = []
    for _ in range(80):
        size = rng.randint(5, 60)
        won = [float(rng.random() < 0.5) for _ in range(size)]
        if len(set(won)) < 2:
            continue
        first = [rng.gauss(w, rng.choice((0.4, 1, 3))) for w in won]
        second = [rng.gauss(w + f * rng.random(), 1) for w, f in zip(won, first, strict=True)]
        pairs = {"a": (first, won), "b": (second, won), "ab": (first, second)}
        found = {name: statistics.correlation(*pair) for name, pair in pairs.items()}
        rows.append({**found, "cases": size})
    rows += [
        {"a": 1.0, "b": 0.5, "ab": 0.5, "cases": 30},
        {"a": 0.6, "b": 0.5, "ab": 0.5, "cases": 3},
        {"a": 0.396, "b": 0.179, "ab": 0.088, "cases": 66},
    ]
    return [{"case_id": n, **row} for n, row in enumerate(rows)]


def observations() -> list[Row]:
    """Samples of grouped observations; the first ungrouped, the second without any spread."""
    rng = Random(3)
    rows: list[Row] = []
    for sample_id in range(30):
        for group in range(rng.randint(4, 40)):
            shift = rng.gauss(0, 0.3)
            for _ in range(1 if sample_id == 0 else rng.randint(1, 6)):
                x = 0.5 if sample_id == 1 else rng.gauss(0.1 + shift, 0.2)
                row = {"sample_id": sample_id, "group_id": group, "x": x}
                rows.append({**row, "y": float(rng.random() < 0.4)})
    return rows


TABLES = {
    "proportions": proportions(), "correlations": correlations(), "observations": observations()
}  # fmt: skip


@dataclass(frozen=True)
class Answers:
    """What the macros give for the made-up cases, on one warehouse."""

    proportions: list[Row]
    newcombe: list[Row]
    correlations: list[Row]
    samples: list[Row]
    means: list[Row]


def made() -> Iterator[str]:
    """The made-up cases as statements that both warehouses take."""
    for name, rows in TABLES.items():
        kinds = {True: "bigint", False: "double"}
        columns = ", ".join(
            f"{key} {kinds[isinstance(value, int)]}" for key, value in rows[0].items()
        )
        yield f"create table {name} ({columns})"
        values = ", ".join("(" + ", ".join(map(repr, row.values())) + ")" for row in rows)
        yield f"insert into {name} values {values}"


@pytest.fixture(scope="module", params=["duckdb", "snowflake"])
def answers(
    request: pytest.FixtureRequest, run_dbt: Any, tmp_path_factory: pytest.TempPathFactory
) -> Answers:
    asked = (PROPORTIONS, NEWCOMBE, CORRELATIONS, SAMPLES, MEANS)
    ended = run_dbt(
        "--quiet", "--no-populate-cache", "compile", "--no-introspect",
        "--inline", "".join(f"{query};" for query in asked),
        warehouse=tmp_path_factory.mktemp("statistics") / "none.duckdb", dbt_target=request.param,
    )  # fmt: skip
    assert ended.code == 0, ended.output
    # After the last there may be a warning of some package.
    queries = ended.output.split(";")[:-1]
    assert len(queries) == len(asked)
    if request.param == "duckdb":
        with duckdb.connect() as connection:
            for statement in made():
                connection.execute(statement)
            return Answers(*(rows_of(connection, query) for query in queries))
    database = f"STATISTICS_{uuid.uuid4().hex}".upper()
    warehouse = emulated(request.getfixturevalue("emulator"), database)
    with warehouse.open("a test compares statistics") as session:
        for statement in ("create schema made_up", "use schema made_up", *made()):
            session.query(statement)
        return Answers(*(session.query(query) for query in queries))


def rows_of(connection: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def near(value: float | None, *, within: float = 1e-9) -> Any:
    return pytest.approx(value, abs=within, rel=within)


def wilson(found: int, cases: int) -> tuple[float, float]:
    """The shares that lie Z standard errors, at that share, from the one found: by bisection."""
    share = found / cases

    def distance(at: float) -> float:
        return abs(share - at) - Z * math.sqrt(at * (1 - at) / cases)

    return bisect(distance, share, 0.0), bisect(distance, share, 1.0)


def bisect(distance: Any, inner: float, outer: float) -> float:
    # Where the share found is itself the end, so is the bound.
    if inner == outer:
        return inner
    for _ in range(100):
        middle = (inner + outer) / 2
        inner, outer = (middle, outer) if distance(middle) < 0 else (inner, middle)
    return (inner + outer) / 2


def fisher(r: float, cases: int) -> tuple[float, float]:
    arm = Z / math.sqrt(cases - 3)
    return math.tanh(math.atanh(r) - arm), math.tanh(math.atanh(r) + arm)


def inside_t(degrees: int, quantile: float) -> float:
    """How much of Student's distribution lies within the quantile, by Simpson's rule."""
    scale = math.exp(
        math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)
    ) / math.sqrt(degrees * math.pi)  # fmt: skip
    steps = 4000
    width = quantile / steps
    density = [
        scale * (1 + (n * width) ** 2 / degrees) ** (-(degrees + 1) / 2) for n in range(steps + 1)
    ]
    inner = 4 * sum(density[1:-1:2]) + 2 * sum(density[2:-1:2])
    return 2 * width / 3 * (density[0] + inner + density[-1])


def test_a_share_is_bounded_by_the_score_test(answers: Answers) -> None:
    rows = answers.proportions
    assert len(rows) > 90
    for row in rows:
        if not row["cases"]:
            assert row["lower_bound"] is None
            assert row["upper_bound"] is None
            continue
        lower, upper = wilson(row["found"], row["cases"])
        assert row["lower_bound"] == near(lower)
        assert row["upper_bound"] == near(upper)
        assert 0 <= row["lower_bound"] < row["upper_bound"]


def test_a_difference_of_shares_is_newcombes(answers: Answers) -> None:
    known = [row for row in TABLES["proportions"] if row["cases"] and row["other_cases"]]
    assert len(answers.newcombe) == len(known) > 80
    for row, answer in zip(known, answers.newcombe, strict=True):
        p, q = row["found"] / row["cases"], row["other_found"] / row["other_cases"]
        p_lower, p_upper = wilson(row["found"], row["cases"])
        q_lower, q_upper = wilson(row["other_found"], row["other_cases"])
        lower, upper = (
            p - q - math.hypot(p - p_lower, q_upper - q),
            p - q + math.hypot(p_upper - p, q - q_lower),
        )
        assert answer["difference_lower"] == near(lower)
        assert answer["difference_upper"] == near(upper)
    # 56 of 70 beside 48 of 80, as printed in the paper's second table.
    assert answers.newcombe[-1]["difference_lower"] == near(0.0524, within=5e-5)
    assert answers.newcombe[-1]["difference_upper"] == near(0.3339, within=5e-5)


def test_a_ratio_of_shares_is_bounded_in_its_logarithm(answers: Answers) -> None:
    bounded = 0
    for row in answers.proportions:
        a, n, b, m = (row[name] for name in ("found", "cases", "other_found", "other_cases"))
        if not (a and b):
            assert row["ratio_lower"] is None
            assert row["ratio_upper"] is None
            continue
        ratio, error = (a / n) / (b / m), math.sqrt(1 / a - 1 / n + 1 / b - 1 / m)
        assert row["ratio_lower"] == near(math.exp(math.log(ratio) - Z * error))
        assert row["ratio_upper"] == near(math.exp(math.log(ratio) + Z * error))
        bounded += 1
    assert bounded > 40


def test_students_quantile_holds_ninety_five_percent(answers: Answers) -> None:
    quantiles = {row["cases"]: row["t"] for row in answers.proportions}
    assert quantiles[2] is None
    assert quantiles[3] == near(3.182446, within=0.01)
    assert quantiles[7] == near(2.364624, within=0.0005)
    for degrees, quantile in quantiles.items():
        if 20 <= degrees <= 400:
            assert inside_t(degrees, quantile) == near(0.95, within=1e-6)
    assert sum(degrees >= 20 for degrees in quantiles) > 30


def test_a_correlation_is_bounded_by_fishers_z(answers: Answers) -> None:
    bounded = 0
    for row in answers.correlations:
        for name in ("a", "b"):
            if abs(row[name]) == 1 or row["cases"] < 4:
                assert row[f"{name}_lower"] is None
                assert row[f"{name}_upper"] is None
                continue
            lower, upper = fisher(row[name], row["cases"])
            assert row[f"{name}_lower"] == near(lower)
            assert row[f"{name}_upper"] == near(upper)
            bounded += 1
    assert bounded > 100


def test_a_difference_of_correlations_on_the_same_cases_is_zous(answers: Answers) -> None:
    bounded = 0
    for row in answers.correlations:
        if abs(row["a"]) == 1 or row["cases"] < 4:
            assert row["difference_lower"] is None
            continue
        a, b, ab = row["a"], row["b"], row["ab"]
        (a_lower, a_upper), (b_lower, b_upper) = fisher(a, row["cases"]), fisher(b, row["cases"])
        c = ((ab - a * b / 2) * (1 - a**2 - b**2 - ab**2) + ab**3) / ((1 - a**2) * (1 - b**2))

        def distance(one: float, other: float, c: float = c) -> float:
            return math.sqrt(one**2 + other**2 - 2 * c * one * other)

        assert row["difference_lower"] == near(a - b - distance(a - a_lower, b_upper - b))
        assert row["difference_upper"] == near(a - b + distance(a_upper - a, b - b_lower))
        bounded += 1
    assert bounded > 60
    # The paper's example of overlapping correlations: 66 cases, from -0.093 to 0.517.
    assert answers.correlations[-1]["difference_lower"] == near(-0.093, within=5e-4)
    assert answers.correlations[-1]["difference_upper"] == near(0.517, within=5e-4)


def test_a_correlation_is_pearsons_and_unknown_without_spread(answers: Answers) -> None:
    samples: defaultdict[int, list[tuple[float, float]]] = defaultdict(list)
    for row in TABLES["observations"]:
        samples[row["sample_id"]].append((row["x"], row["y"]))
    assert len(answers.samples) == len(samples)
    for answer in answers.samples:
        xs, ys = zip(*samples[answer["sample_id"]], strict=True)
        if answer["sample_id"] == 1:
            assert answer["r"] is None
        else:
            assert answer["r"] == near(statistics.correlation(xs, ys))


def test_the_error_of_a_mean_knows_its_groups(answers: Answers) -> None:
    samples: defaultdict[int, defaultdict[int, list[float]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in TABLES["observations"]:
        samples[row["sample_id"]][row["group_id"]].append(row["x"])
    assert len(answers.means) == len(samples)
    for answer in answers.means:
        groups = list(samples[answer["sample_id"]].values())
        values = [value for group in groups for value in group]
        mean = statistics.fmean(values)
        between = sum(math.fsum(value - mean for value in group) ** 2 for group in groups)
        error = math.sqrt(between * len(groups) / (len(groups) - 1)) / len(values)
        assert answer["mean"] == near(mean)
        assert answer["standard_error"] == near(error)
        if answer["sample_id"] == 0:
            assert error == near(statistics.stdev(values) / math.sqrt(len(values)))
        if answer["sample_id"] != 1 and len(groups) > 3:
            arm = (answer["upper_bound"] - answer["lower_bound"]) / 2
            assert inside_t(len(groups) - 1, arm / error) == near(0.95, within=2e-4)
            assert (answer["upper_bound"] + answer["lower_bound"]) / 2 == near(mean)
