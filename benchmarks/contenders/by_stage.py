"""Ours as a function, with the CPU seconds of each of its stages: `make bench ARGS="... --stages"`.

A stage is some functions of ours. Each call's time is its thread's, less that of other stages that
it calls, so the stages add up, and what is left of the process is the last line. To ask the clock
costs time too: what an utterance or a cell takes is therefore counted with its conversation.
"""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable, Iterator
from functools import wraps
from importlib import import_module
from typing import Any

import told

OURS = "semarize_pipeline"
# The stage, the module, and what of it: a function, or a class and one of its methods, or all.
STAGES = (
    ("translation", "vendors.base", "Vendor.read"),
    ("rows and hashes", "landing", "conversation_row"),
    ("rows and hashes", "landing", "utterance_rows"),
    ("rows and hashes", "semarize.rows", "typed"),
    ("Arrow", "warehouse.arrow", "arrow"),
    ("JSON", "rest.client", "_parse"),
    ("HTTP", "rest.client", "RestClient.send"),
    ("DuckDB: open", "warehouse.duckdb", "DuckDBWarehouse._connect"),
    ("DuckDB: land", "warehouse.duckdb", "DuckDBSession.land"),
    ("DuckDB: read", "warehouse.duckdb", "DuckDBSession.find"),
    ("DuckDB: read", "warehouse.duckdb", "DuckDBSession.query"),
    ("state: ledger, watermarks", "state.ledger", "Ledger"),
    ("state: ledger, watermarks", "state.store", "Watermarks"),
    ("state: runs", "state.runs", "Runs"),
    ("state: turns and caps", "state.budgets", "Budgets"),
)

_spent: dict[str, float] = {}
_lock = threading.Lock()
_own = threading.local()


def timed(stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, its thread's CPU time counted for ``stage``."""

    @wraps(function)
    def call(*given: Any, **named: Any) -> Any:
        outer: list[float] = _own.__dict__.setdefault("inner", [])
        outer.append(0.0)
        began = time.thread_time()
        try:
            return function(*given, **named)
        finally:
            took = time.thread_time() - began
            inner = outer.pop()
            if outer:
                outer[-1] += took
            with _lock:
                _spent[stage] = _spent.get(stage, 0.0) + took - inner

    return call


def places() -> Iterator[tuple[str, Any, str]]:
    """Each stage with where its functions stand: the module or class, and their names."""
    for stage, module, name in STAGES:
        holder = import_module(f"{OURS}.{module}")
        owner, _, attribute = name.rpartition(".")
        if owner:
            holder = getattr(holder, owner)
        found = getattr(holder, attribute)
        if not inspect.isclass(found):
            yield stage, holder, attribute
            continue
        for each, member in vars(found).items():
            # What yields is used by others of the same class, whose time it is.
            if inspect.isfunction(member) and not each.startswith("_"):
                yield stage, found, each


def main() -> None:
    for stage, holder, name in list(places()):
        setattr(holder, name, timed(stage, getattr(holder, name)))
    # It reads its job when it is imported, and says at its end what it took.
    import function

    report = told.done

    def done(**more: Any) -> None:
        rest = {"rest, start-up included": time.process_time() - sum(_spent.values())}
        report(**more, phases={name: round(took, 3) for name, took in (_spent | rest).items()})

    told.done = done
    function.main()


if __name__ == "__main__":
    main()
