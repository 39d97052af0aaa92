"""The dashboards' entry in Airflow's menu: loaded as Airflow loads it, and nothing done by that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dag_runs import airflow_environment

pytestmark = pytest.mark.slow

# Loads the plugins as each of Airflow's processes does, and tells what happened meanwhile.
LOAD = """
import json, os, sys
from airflow.plugins_manager import get_import_errors, get_plugin_info

touched = []
def watch(event, args):
    if event == "open":
        path, mode, flags = args
        wanted = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if wanted and "__pycache__" not in str(path):
            touched.append(f"writes {path}")
        elif str(path).endswith((".duckdb", ".db", ".toml")):
            touched.append(f"reads {path}")
    elif event.startswith(("socket.", "subprocess.", "os.mkdir", "os.remove", "sqlite3.")):
        touched.append(event)

before = set(sys.modules)
sys.addaudithook(watch)
told = get_plugin_info(["name", "external_views", "source"])
seen = list(touched)
open(sys.argv[1], "w").close()
print(json.dumps({
    "plugins": [plugin for plugin in told if "dashboards" in plugin["name"]],
    "errors": dict(get_import_errors()),
    "touched": seen,
    "watched": len(touched) - len(seen),
    # After what was watched, for it is not what Airflow does.
    "refused": sys.modules["dashboards_link"].views("javascript:alert(1)"),
    "loaded": sorted({name.split(".")[0] for name in set(sys.modules) - before}),
}, default=str))
"""


def loaded(home: Path, **more: str) -> dict[str, Any]:
    environment = {
        name: value for name, value in os.environ.items() if "AIRFLOW" not in name
    } | airflow_environment(home)
    environment.pop("SEMARIZE_DASHBOARDS_URL", None)
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(home / "written")],
        env=environment | more,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_airflow_loads_it_and_shows_the_entry(tmp_path: Path) -> None:
    told = loaded(tmp_path, SEMARIZE_DASHBOARDS_URL="https://dashboards.example.com/x")
    assert told["errors"] == {}
    (plugin,) = told["plugins"]
    assert plugin["source"].endswith("dashboards_link.py")
    assert [(view["name"], view["href"]) for view in plugin["external_views"]] == [
        ("Dashboards", "https://dashboards.example.com/x")
    ]
    (view,) = plugin["external_views"]
    assert "nav_top_level" not in view, "a button without a way, in Airflow 3.3"
    assert view["category"] == "browse"
    assert told["touched"] == []
    assert told["watched"] == 1, "the watch sees a file that is written"
    ours = {"semarize_airflow", "semarize_dashboards", "semarize_pipeline", "streamlit", "duckdb"}
    assert ours.isdisjoint(told["loaded"]), "every process of Airflow would load them"


def test_without_a_web_address_there_is_no_entry(tmp_path: Path) -> None:
    shown = loaded(tmp_path)
    assert shown["errors"] == {}
    assert [plugin["external_views"] for plugin in shown["plugins"]] == [[]]
    assert shown["refused"] == [], "a script is no address"
