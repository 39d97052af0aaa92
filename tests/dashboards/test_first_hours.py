"""Every page in the first hours, with little to show: no error, and what there is to be done.

In this process and without a browser: Streamlit runs the page's script and tells what it drew.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from semarize_dashboards.pages import PAGES

# What dbt fills as soon as conversations have landed, before Semarize has scored any.
BEFORE_SCORES = frozenset(
    {
        "bridge_conversation_opportunities",
        "cadence_step_quality_audit",
        "compliance_framework_coverage",
        "conversation_explorer",
        "conversation_weighted_forecast",
        "deal_readiness",
        "deal_signal_coverage",
        "dim_accounts",
        "dim_bricks",
        "dim_cadence_steps",
        "dim_dates",
        "dim_documents",
        "dim_opportunities",
        "dim_reps",
        "dim_territories",
        "fct_conversations",
        "pipeline_conversations",
        "pipeline_health",
    }
)


def _left_with(file: Path, kept: frozenset[str]) -> None:
    """Empty every mart but those; in them, no row has a score or the version of a kit."""
    with duckdb.connect(str(file)) as warehouse:
        marts = warehouse.execute(
            "select schema_name, table_name, list(column_name) from duckdb_columns() "
            "where schema_name in ('marts', 'workforce') group by all"
        ).fetchall()
        assert kept <= {table for _, table, _ in marts}
        for schema, table, columns in marts:
            name = f'{schema}."{table}"'
            if table not in kept:
                warehouse.execute(f"delete from {name}")
                continue
            for column in columns:
                if column.endswith(("kit_version_id", "_normalised")):
                    warehouse.execute(f'update {name} set "{column}" = null')


@pytest.fixture(scope="module", params=[frozenset(), BEFORE_SCORES], ids=["empty", "unscored"])
def early(
    request: pytest.FixtureRequest, company_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The dashboards of this process show such a warehouse."""
    import streamlit

    file = tmp_path_factory.mktemp("early") / "warehouse.duckdb"
    shutil.copy(company_file, file)
    _left_with(file, request.param)
    held = {"conn_type": "duckdb", "host": str(file)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_WAREHOUSE_DEFAULT", json.dumps(held))
        patch.setenv("DASHBOARD_WORKFORCE", "true")
        for kept in (streamlit.cache_resource, streamlit.cache_data):
            kept.clear()
        yield "unscored" if request.param else "empty"
        for kept in (streamlit.cache_resource, streamlit.cache_data):
            kept.clear()


def _page(slug: str) -> None:
    from semarize_dashboards import app
    from semarize_dashboards.pages import PAGES

    app._show(next(page for page in PAGES if page.slug == slug))


@pytest.mark.parametrize("slug", [page.slug for page in PAGES])
def test_a_page_with_nothing_to_show_says_so(
    early: str, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from streamlit.testing.v1 import AppTest

    # Streamlit leaves its script there, and processes that are started later would run it.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    shown = AppTest.from_function(_page, kwargs={"slug": slug}, default_timeout=120).run()
    assert [each.value for each in [*shown.exception, *shown.error]] == []
    assert [each.value for each in shown.title], "the guard: the page was drawn"
    headlines = [each.value for each in shown.markdown if each.value.startswith("#### ")]
    assert len(headlines) == 1
    if early == "empty":
        assert shown.info, "a reader is told why there is nothing, and what to do"
