"""A bench whose state database and warehouse stop for good before a chosen write.

``Killed`` is what the process would see least of: nothing. It passes through everything that
handles the pipeline's own errors, as a kill does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from bench import FERNET, Bench
from sqlalchemy.engine import Connection

from semarize_pipeline.state import State
from semarize_pipeline.warehouse.duckdb import DuckDBSession, DuckDBWarehouse
from semarize_pipeline.warehouse.port import Load


class Killed(BaseException):
    """The process ended here."""


class Fuse:
    """Counts writes; from number ``at`` on none gets through. 0 never blows."""

    def __init__(self, at: int = 0) -> None:
        self.at = at
        self.seen = 0
        self._lock = threading.Lock()

    def burn(self) -> None:
        with self._lock:
            self.seen += 1
            if self.at and self.seen >= self.at:
                raise Killed


class _State(State):
    """The state database behind a fuse. Turns of the pace are not counted: they have no order."""

    def __init__(self, fuse: Fuse, url: str, **more: Any) -> None:
        super().__init__(url, **more)
        self.fuse = fuse
        self.budgets.turns = self._unfused(self.budgets.turns)  # type: ignore[method-assign]
        self._free = threading.local()

    def _unfused(self, turns: Any) -> Any:
        def free(*given: Any) -> Any:
            self._free.now = True
            try:
                return turns(*given)
            finally:
                self._free.now = False

        return free

    @contextmanager
    def write(self) -> Iterator[Connection]:
        if not getattr(self._free, "now", False):
            self.fuse.burn()
        with super().write() as connection:
            yield connection


class _Session(DuckDBSession):
    def __init__(self, connection: Any, fuse: Fuse) -> None:
        super().__init__(connection)
        self._fuse = fuse

    def land(self, loads: Sequence[Load]) -> None:
        self._fuse.burn()
        super().land(loads)


class OtherSessions(DuckDBWarehouse):
    """A bench's warehouse whose sessions are of another kind, such as one that breaks."""

    def __init__(self, bench: Bench, kind: Callable[[Any], DuckDBSession]) -> None:
        super().__init__(bench.folder / "warehouse.duckdb", wait_seconds=20)
        self._kind = kind

    @contextmanager
    def open(self, purpose: str) -> Iterator[DuckDBSession]:
        with super().open(purpose) as session:
            yield self._kind(session._connection)


def fused(bench: Bench, at: int) -> Fuse:
    """Put state and warehouse of a bench behind one fuse."""
    fuse = Fuse(at)
    bench.state.close()
    bench.state = _State(
        fuse, f"sqlite:///{bench.folder}/state.db", fernet_key=FERNET, clock=bench.clock
    )
    bench.warehouse = OtherSessions(bench, partial(_Session, fuse=fuse))
    return fuse


def mended(bench: Bench) -> None:
    """The next process: the same files, and nothing breaks."""
    fused(bench, 0)
