"""Trouble on demand: what the next matching requests meet instead of a good answer."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from starlette.requests import Request

FaultKind = Literal[
    "status",
    "drop",
    "drop_mid_body",
    "html",
    "truncated_json",
    "not_utf8",
    "delay",
    "drip",
    "endless",
    "shift_rows",
]
KINDS: tuple[str, ...] = get_args(FaultKind)


@dataclass(slots=True, kw_only=True)
class Fault:
    """One kind of trouble for the next ``count`` requests whose path contains ``match``.

    With a ``$`` at its end, ``match`` is how the path ends.
    ``count`` None lasts until the queue is cleared. What the kinds do:

    - ``status``: answer ``status`` with ``headers`` and ``body`` (text, or JSON if not text);
    - ``drop``: close the connection without an answer;
    - ``drop_mid_body``: send the head and half of the true answer, then close;
    - ``html``: a page with ``status`` (200 unless told), as a login or maintenance page is;
    - ``truncated_json``: the first half of the true answer, as if it were whole;
    - ``not_utf8``: the true answer with bytes in it that are no UTF-8;
    - ``delay``: the true answer, after ``seconds``;
    - ``drip``: the true answer in small pieces, spread over ``seconds``;
    - ``endless``: text for ``seconds``, as if it would never end, then a closed connection;
    - ``shift_rows``: list pages after the first answer as if ``rows`` rows had been put in
      front since the page before (negative: taken away).
    """

    kind: FaultKind
    match: str = ""
    count: int | None = 1
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    seconds: float = 0.0
    rows: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault kind {self.kind!r}; choose one of {', '.join(KINDS)}")
        if self.count is not None and self.count < 1:
            raise ValueError("count must be at least 1, or null to last until cleared")
        if self.status is not None and not 200 <= self.status <= 599:
            raise ValueError("status must be an HTTP status from 200 to 599")
        if self.seconds < 0:
            raise ValueError("seconds must not be negative")
        # JSON may bring {"Retry-After": 7}; on the wire all of it is text.
        self.headers = {str(name): str(value) for name, value in self.headers.items()}


class FaultQueue:
    """The faults waiting, per stand-in, in the order in which they were added."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, list[Fault]] = {}

    def add(self, vendor: str, fault: Fault) -> None:
        with self._lock:
            self._waiting.setdefault(vendor, []).append(fault)

    def clear(self, vendor: str | None = None) -> None:
        with self._lock:
            if vendor is None:
                self._waiting.clear()
            else:
                self._waiting.pop(vendor, None)

    def take(self, vendor: str, path: str) -> Fault | None:
        """The first fault that fits ``path``, used up by one."""
        with self._lock:
            waiting = self._waiting.get(vendor, [])
            for position, fault in enumerate(waiting):
                if fault.match in path or f"{path}$".endswith(fault.match):
                    if fault.count is not None:
                        fault.count -= 1
                        if fault.count == 0:
                            del waiting[position]
                    return fault
        return None

    def waiting(self) -> dict[str, int]:
        with self._lock:
            return {vendor: len(faults) for vendor, faults in self._waiting.items() if faults}


class Storm(FaultQueue):
    """A seeded share of all requests meets one of these faults, at random, until it is over.

    Which requests those are depends on the order in which they arrive.
    """

    def __init__(self, seed: int, share: float, faults: Sequence[Fault]) -> None:
        super().__init__()
        self._random = random.Random(seed)
        self._share = share
        self._faults = faults
        self.met = 0

    def take(self, vendor: str, path: str) -> Fault | None:
        with self._lock:
            if self._random.random() >= self._share:
                return None
            self.met += 1
            return self._random.choice(self._faults)


def shifted_rows(request: Request) -> int:
    """How far the rows under this list request have moved since the page before."""
    return int(getattr(request.state, "shifted_rows", 0))
