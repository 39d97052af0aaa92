"""Which part may know which: read from the source, so that a shortcut does not go unseen."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PIPELINE = ROOT / "include" / "semarize_pipeline"
DASHBOARDS = ROOT / "include" / "semarize_dashboards"
PLUGINS = ROOT / "plugins"
DAGS = ROOT / "dags"

# Whoever asks for the time or the environment in passing cannot be tested; these two may.
ALLOWED = {
    ("dbt_build.py", "os.environ"): "dbt inherits the environment, without Airflow's own paths",
    ("warehouse/duckdb.py", "datetime.now"): "the note that says since when the file is held",
}


def modules(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*.py"))
    assert found, f"there is nothing to check in {folder}"
    return found


def imported(file: Path) -> set[str]:
    """Every module that a file may import, `from a import b` as both `a` and `a.b`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            names |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def test_the_reader_of_imports(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text("import a.b\nfrom c import d\ndef f():\n    from e.f import g as h\n")
    assert imported(file) == {"a.b", "c", "c.d", "e.f", "e.f.g"}


# The connector is large and only some need it: this file is imported when a connection asks.
NEEDS_SNOWFLAKE = "semarize_pipeline.warehouse.snowflake"


IMPORT_ALL = """
import importlib, pkgutil, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BLOCKED:
            raise ImportError(f"{name} is blocked here")

sys.meta_path.insert(0, Blocked())
try:
    import airflow
    raise SystemExit("nothing is blocked")
except ImportError:
    pass
package = importlib.import_module(PACKAGE)
names = [m.name for m in pkgutil.walk_packages(package.__path__, PACKAGE + ".")]
assert not EXCUSED or EXCUSED in names
for name in names:
    if name != EXCUSED:
        importlib.import_module(name)
print(len(names))
"""


def import_all(package: str, *blocked: str, excused: str | None = None) -> int:
    """Import every module of a package where some others are not there; returns how many."""
    told = f"PACKAGE, BLOCKED, EXCUSED = {package!r}, {blocked!r}, {excused!r}\n"
    done = subprocess.run(
        [sys.executable, "-c", told + IMPORT_ALL],
        env={**os.environ, "PYTHONPATH": str(ROOT / "include")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_every_module_but_one_imports_without_airflow_and_snowflake() -> None:
    blocked = ("airflow", "snowflake", "semarize_airflow", "semarize_dashboards", "dbt")
    there = import_all("semarize_pipeline", *blocked, excused=NEEDS_SNOWFLAKE)
    assert there >= len(modules(PIPELINE)) - 1, "each file was imported"


def test_the_dashboards_import_without_airflow_and_snowflake() -> None:
    """They run beside Airflow, or where there is none."""
    blocked = ("airflow", "snowflake", "semarize_airflow", "semarize_sandbox", "dbt")
    # The folder entry/ has the script that Streamlit runs, and the package has its own file.
    there = import_all("semarize_dashboards", *blocked)
    assert there >= len(modules(DASHBOARDS)) - 2, "each file was imported"


def test_the_dashboards_know_neither_airflow_nor_what_it_runs() -> None:
    for file in modules(DASHBOARDS):
        bad = {
            name
            for name in imported(file)
            if within(name, "airflow", "semarize_airflow", "semarize_sandbox", "dags", "dbt")
        }
        assert not bad, f"{file.name} imports {bad}"


def test_only_one_file_imports_the_connector_and_nobody_imports_it_at_the_top() -> None:
    found = [
        file.relative_to(PIPELINE).as_posix()
        for file in modules(PIPELINE)
        if any(within(name, "snowflake", NEEDS_SNOWFLAKE) for name in imported(file))
    ]
    assert found == [
        "warehouse/connections.py",
        "warehouse/snowflake.py",
        "warehouse/snowflake_setup.py",
    ]
    late = 0
    for file in [*modules(PLUGINS), PIPELINE / "warehouse" / "connections.py"]:
        top = {
            name
            for node in ast.parse(file.read_text()).body
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in [
                *(alias.name for alias in node.names),
                *([str(node.module)] if isinstance(node, ast.ImportFrom) else []),
            ]
        }
        assert not any(within(name, "snowflake", NEEDS_SNOWFLAKE) for name in top), file
        late += NEEDS_SNOWFLAKE in imported(file)
    assert late == 2, "it is imported when a connection asks, and named in a type"


def test_the_pipeline_knows_neither_airflow_nor_its_sandbox() -> None:
    for file in modules(PIPELINE):
        bad = {
            name
            for name in imported(file)
            if within(
                name,
                "airflow",
                "semarize_airflow",
                "semarize_dashboards",
                "semarize_sandbox",
                "dags",
                "dbt",
            )
        }
        assert not bad, f"{file.name} imports {bad}"


def hidden_inputs(file: Path) -> Iterator[tuple[str, int]]:
    """Where a module reads the clock or the environment, except as a default or as the clock."""
    tree = ast.parse(file.read_text())
    excused: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.arguments):
            for default in (*node.defaults, *filter(None, node.kw_defaults)):
                excused |= set(ast.walk(default))
        if isinstance(node, ast.FunctionDef) and node.name == "utc_now":
            excused |= set(ast.walk(node))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or node in excused:
            continue
        told = ast.unparse(node)
        if told in (
            "os.environ",
            "os.getenv",
            "datetime.now",
            "datetime.utcnow",
            "datetime.today",
            "date.today",
            "datetime.datetime.now",
            "time.time",
        ):
            yield told, node.lineno


def test_the_reader_of_hidden_inputs(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text(
        "def a(clock=lambda: datetime.now(UTC), *, b=time.time): ...\n"
        "def utc_now(): return datetime.now(UTC)\n"
        "def c(): return datetime.now(UTC), os.environ['X'], time.time()\n"
    )
    assert sorted(hidden_inputs(file)) == [
        ("datetime.now", 3),
        ("os.environ", 3),
        ("time.time", 3),
    ]


def test_nothing_reads_the_clock_or_the_environment_in_passing() -> None:
    found = {
        (file.relative_to(PIPELINE).as_posix(), told): line
        for file in modules(PIPELINE)
        for told, line in hidden_inputs(file)
    }
    assert set(found) == set(ALLOWED), found


def test_plugins_do_not_know_dags() -> None:
    dags = {file.stem for file in modules(DAGS)}
    for file in modules(PLUGINS):
        bad = {name for name in imported(file) if name.split(".")[0] in {"dags", *dags}}
        assert not bad, f"{file.name} imports {bad}"


def test_a_vendor_knows_no_other_vendor_and_no_warehouse() -> None:
    vendors = [f for f in modules(PIPELINE / "vendors") if f.stem not in ("__init__", "base")]
    assert len(vendors) >= 5
    for file in [*vendors, PIPELINE / "vendors" / "base.py"]:
        bad = {
            name
            for name in imported(file)
            if within(
                name,
                "semarize_pipeline.warehouse",
                "semarize_pipeline.semarize",
                "semarize_pipeline.landing",
                "semarize_pipeline.pipeline",
                "semarize_pipeline.scoring",
                "semarize_pipeline.settings",
                *(f"semarize_pipeline.vendors.{v.stem}" for v in vendors if v != file),
            )
        }
        assert not bad, f"{file.name} imports {bad}"


def test_the_http_layers_know_nothing_of_conversations() -> None:
    for file in modules(PIPELINE / "rest"):
        bad = {
            name
            for name in imported(file)
            if within(name, "semarize_pipeline")
            and not within(
                name,
                "semarize_pipeline.rest",
                "semarize_pipeline.errors",
                "semarize_pipeline.model.digest",
            )
            and name != "semarize_pipeline.model"
        }
        assert not bad, f"{file.name} imports {bad}"


@pytest.mark.parametrize("file", modules(DAGS), ids=lambda file: file.name)
def test_a_dag_file_is_cheap_to_parse(file: Path) -> None:
    """It is parsed again and again: it may name things, and must not load them."""
    for name in imported(file) - {"semarize_pipeline"}:
        top = name.split(".")[0]
        assert top in sys.stdlib_module_names or within(
            name, "airflow.sdk", "semarize_airflow", "semarize_pipeline.vendors"
        ), f"{file.name} imports {name}"


def test_dbt_s_folder_is_no_python_package() -> None:
    """With an ``__init__.py`` it would stand in for the package dbt."""
    assert (ROOT / "dbt" / "dbt_project.yml").exists()
    assert not list((ROOT / "dbt").rglob("__init__.py"))
