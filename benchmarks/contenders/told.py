"""What the harness tells a contender, and what a contender tells the harness.

Nothing heavy is imported here: what a contender imports counts as its own time.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

BEGAN = time.perf_counter()
_phases: dict[str, float] = {}
_last = BEGAN


def job() -> dict[str, Any]:
    """The step to do: the server's URL, the folder to work in, the shape, the run's time."""
    told: dict[str, Any] = json.loads(sys.argv[1])
    return told


def phase(name: str) -> None:
    """Say that what was done since the last call is called ``name``."""
    global _last
    now = time.perf_counter()
    _phases[name] = round(_phases.get(name, 0.0) + now - _last, 3)
    _last = now


def done(**more: Any) -> None:
    """Report the phases, and this process's own peak memory."""
    # VmHWM, not ru_maxrss: that one begins at the peak of whoever started this process.
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    print(json.dumps({"phases": _phases, "peak_kb": peak, **more}), flush=True)
