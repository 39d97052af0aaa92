"""Known vulnerabilities of every locked package, by pip-audit and the OSV database.

Ends with 0 when nothing was found, and when nobody could be asked: then it says so in capitals
and does not pretend. Ends with 1 for a finding, for a package that could not be judged, and for
an exception (``exceptions.toml``) that has expired or does not say what it must.

AUDIT_OSV_URL names another database of the same kind, such as a company's mirror.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OSV = "https://api.osv.dev/v1/query"
PROBE = {"package": {"name": "pip", "ecosystem": "PyPI"}, "version": "26.0"}


class Broken(Exception):
    """The audit itself could not be done, though somebody answered."""


@dataclass(frozen=True)
class Finding:
    """One known vulnerability of one locked package."""

    lock: str
    package: str
    version: str
    ids: tuple[str, ...]
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        remedy = f"fixed in {', '.join(self.fixed_in)}" if self.fixed_in else "no fix is known"
        return f"{self.lock}: {self.package} {self.version}: {', '.join(self.ids)} ({remedy})"


def locks(root: Path) -> list[Path]:
    """Every lock file: whatever stands beside a requirements.in."""
    found = [
        file.with_suffix(".txt")
        for file in root.rglob("requirements.in")
        if not any(part.startswith(".venv") for part in file.parts)
    ]
    return sorted(found)


def unreachable(url: str) -> str | None:
    """Why the database cannot be asked, or None."""
    ask = urllib.request.Request(
        url, json.dumps(PROBE).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(ask, timeout=15) as answer:
            said = json.load(answer)
    except urllib.error.HTTPError as error:
        return f"it answers {error.code}"
    except (OSError, ValueError) as error:
        return type(error).__name__ + f" ({getattr(error, 'reason', 'no JSON')})"
    return None if isinstance(said, dict) else "it answers with something else"


def audited(lock: Path, root: Path, url: str) -> list[Finding]:
    """What is known of one lock file's packages."""
    done = subprocess.run(
        [
            *(sys.executable, "-I", "-m", "pip_audit", "--vulnerability-service", "osv"),
            *("--osv-url", url, "--requirement", str(lock), "--require-hashes", "--disable-pip"),
            *("--format", "json", "--progress-spinner", "off", "--timeout", "30"),
        ],
        capture_output=True,
        text=True,
        timeout=600,
    )
    name = str(lock.relative_to(root))
    try:
        told: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]
        raise Broken(f"{name}: {last}") from None
    skipped = [each["name"] for each in told if "skip_reason" in each]
    if skipped or not told:
        raise Broken(f"{name}: not judged: {', '.join(skipped) or 'a single package'}")
    return [
        Finding(
            name,
            each["name"],
            each["version"],
            (known["id"], *known.get("aliases", ())),
            tuple(known.get("fix_versions", ())),
        )
        for each in told
        for known in each["vulns"]
    ]


def exceptions(file: Path, today: date) -> dict[tuple[str, str], str]:
    """The exceptions that hold today, by package and id. Raises Broken for one that does not."""
    held: dict[tuple[str, str], str] = {}
    for each in tomllib.loads(file.read_text()).get("exception", []):
        if set(each) != {"id", "package", "reason", "until"} or not str(each["reason"]).strip():
            raise Broken(f"{file.name}: an exception has an id, a package, a reason and until")
        if not isinstance(each["until"], date) or isinstance(each["until"], datetime):
            raise Broken(f"{file.name}: {each['id']}: until is a day, such as 2027-01-31")
        if each["until"] < today:
            raise Broken(
                f"{file.name}: the exception for {each['id']} of {each['package']} ended on "
                f"{each['until']}: mend it, or say anew why it may stay"
            )
        held[(each["package"], each["id"])] = each["reason"]
    return held


def borne(finding: Finding, held: Mapping[tuple[str, str], str]) -> str | None:
    """Why a finding is borne, or None."""
    return next((held[k] for id_ in finding.ids if (k := (finding.package, id_)) in held), None)


def main(root: Path = ROOT, told: Path = HERE / "exceptions.toml") -> int:
    url = os.environ.get("AUDIT_OSV_URL", OSV)
    try:
        held = exceptions(told, datetime.now(UTC).date())
        if why := unreachable(url):
            print(f"NOT AUDITED: unreachable: {url}: {why}. Nothing is known about any package.")
            return 0
        files = locks(root)
        with ThreadPoolExecutor(4) as pool:
            found: Sequence[Finding] = [
                each
                for part in pool.map(lambda lock: audited(lock, root, url), files)
                for each in part
            ]
    except Broken as broken:
        print(f"The audit failed: {broken}")
        return 1
    bad = [each for each in found if borne(each, held) is None]
    for each in found:
        reason = borne(each, held)
        print(each if reason is None else f"{each}: borne: {reason}")
    print(f"{len(files)} lock files audited: {len(bad)} vulnerabilities to mend, "
          f"{len(found) - len(bad)} borne")  # fmt: skip
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
