"""The commands: ``python -m semarize_airflow.local demo|calls|up|down|status|snowflake-plan``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from semarize_airflow.local.environment import Refused, Runtime


def main(arguments: Sequence[str]) -> int:
    """Run a command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="semarize_airflow.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="the whole pipeline once, against the sandbox")
    file = commands.add_parser("calls", help="a file of calls through every vendor's API and DAG")
    file.add_argument("file", type=Path)
    commands.add_parser("up", help="start Airflow, the sandbox and the dashboards")
    commands.add_parser("down", help="stop them")
    commands.add_parser("status", help="what runs, and where")
    plan = commands.add_parser("snowflake-plan", help="what Snowflake needs, as SQL to read")
    plan.add_argument(
        "--set", metavar="NAME=VALUE", action="append", default=[], help="a name or a number"
    )
    plan.add_argument(
        "--standard-edition", action="store_true", help="leave out what needs Enterprise edition"
    )
    # What the others start; each in a process of its own.
    serve = commands.add_parser("sandbox", help="serve the sandbox here")
    serve.add_argument("port", type=int)
    commands.add_parser("prepare", help="make Airflow's database ready")
    runs = commands.add_parser("run-dags", help="run DAGs that standard input names")
    runs.add_argument("logs", type=Path)
    told = parser.parse_args(arguments)
    runtime = Runtime.told(os.environ)
    try:
        # Each command loads only what it needs: `down` must work where the rest is broken.
        if told.command == "demo":
            from semarize_airflow.local.demo import demo

            return demo(runtime, dict(os.environ))
        if told.command == "calls":
            from semarize_airflow.local.calls import calls

            return calls(runtime, dict(os.environ), told.file)
        if told.command == "sandbox":
            from semarize_airflow.local.sandbox import serve as serve_sandbox

            serve_sandbox(told.port)
            return 0
        if told.command == "prepare":
            from semarize_airflow.local.metadata import prepare

            prepare()
            return 0
        if told.command == "run-dags":
            from semarize_airflow.local.dag_runs import serve_runs

            serve_runs(told.logs)
            return 0
        if told.command == "snowflake-plan":
            from semarize_airflow.local.snowflake_plan import plan as snowflake_plan

            return snowflake_plan(runtime, os.environ, told.set, masking=not told.standard_edition)
        from semarize_airflow.local import up

        if told.command == "up":
            return up.up(runtime, dict(os.environ))
        return up.down(runtime) if told.command == "down" else up.status(runtime)
    except Refused as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; what has landed stays, and the next run goes on from there.")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
