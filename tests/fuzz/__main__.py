"""`make fuzz MINUTES=60`: spoils what the vendors and Semarize say, and looks for what must not be.

Runs until its time is up and ends with 1 where something was found. What was found is cut down
to little, told once, and kept in .runtime/fuzz. `--seed` begins another row of inputs; the same
seed is the same row.
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import sys
import tempfile
import time
from pathlib import Path

from fuzz.search import Search, targets

MOST_BYTES = 6 * 2**30
FOLDER = Path(__file__).parents[2] / ".runtime" / "fuzz"


def main() -> int:
    """Search for so many minutes; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", action="append", choices=targets(), help="all by default")
    told = parser.parse_args()
    logging.getLogger("semarize_pipeline").setLevel(logging.DEBUG)
    FOLDER.mkdir(parents=True, exist_ok=True)
    # Whatever an input does: it may cost this program, and not the machine.
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    with tempfile.TemporaryDirectory() as folder:
        search = Search(Path(folder), told.seed, told.target or targets())
        end = time.monotonic() + told.minutes * 60
        report = time.monotonic() + 60
        while time.monotonic() < end:
            for found in search.round():
                at = FOLDER / f"{found.name}.json"
                at.write_text(json.dumps(found.smallest, indent=1))
                print(f"{found.target}: {found.finding}\n    {at}", flush=True)
            if time.monotonic() >= report:
                report = time.monotonic() + 60
                print(search.told(), flush=True)
        print(search.told())
    return 1 if search.kinds else 0


if __name__ == "__main__":
    sys.exit(main())
