"""The audit against a stand-in of the database: findings, exceptions, and nobody there."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from unit.support import Request, Say, Server, serving

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-audit" / "bin" / "python"
LOCK = "# a lock\nrequests==2.19.0 \\\n    --hash=sha256:" + "a" * 64 + "\nidna==3.20 \\\n"
LOCK += "    --hash=sha256:" + "b" * 64 + "\n"
KNOWN = {
    "id": "GHSA-x84v-xcm2-53pg",
    "aliases": ["CVE-2018-18074"],
    "summary": "a credential is sent on",
    "details": "",
    "affected": [
        {
            "package": {"name": "requests", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.20.0"}]}],
        }
    ],
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def environment() -> None:
    subprocess.run(["sh", ".ci/setup.sh", "audit"], cwd=ROOT, check=True, timeout=300)


@pytest.fixture
def database() -> Any:
    with serving() as server:
        server.answers = answer
        yield server


def answer(request: Request) -> Say:
    asked = request.json
    known = asked["package"]["name"] == "requests" and asked["version"] == "2.19.0"
    return Say(200, {"vulns": [KNOWN]} if known else {})


def audit(folder: Path, url: str, exceptions: str = "") -> subprocess.CompletedProcess[str]:
    (folder / "dbt").mkdir(exist_ok=True)
    (folder / "dbt" / "requirements.in").write_text("requests\n")
    (folder / "dbt" / "requirements.txt").write_text(LOCK)
    (folder / "exceptions.toml").write_text(exceptions)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import audit, pathlib; "
        "sys.exit(audit.main(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[2], sys.argv[3])))"
    )
    return subprocess.run(
        [PYTHON, "-I", "-c", code, ROOT / "tests/audit", folder, "exceptions.toml"],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "AUDIT_OSV_URL": url, "NO_PROXY": "*", "no_proxy": "*"},
    )


def excepted(until: str, id_: str = "CVE-2018-18074", package: str = "requests") -> str:
    return (
        f'[[exception]]\nid = "{id_}"\npackage = "{package}"\nreason = "never called"\n'
        f"until = {until}\n"
    )


def test_a_finding_ends_the_audit_with_its_remedy(database: Server, tmp_path: Path) -> None:
    done = audit(tmp_path, database.url)
    assert done.returncode == 1, done.stderr
    assert (
        "dbt/requirements.txt: requests 2.19.0: CVE-2018-18074, GHSA-x84v-xcm2-53pg" in done.stdout
    )
    assert "fixed in 2.20.0" in done.stdout
    asked = {(r.json["package"]["name"], r.json["version"]) for r in database.seen}
    assert {("requests", "2.19.0"), ("idna", "3.20")} <= asked, "every package was asked for"


def test_an_exception_holds_until_its_day(database: Server, tmp_path: Path) -> None:
    done = audit(tmp_path, database.url, excepted("2999-01-01"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "borne: never called" in done.stdout
    assert "0 vulnerabilities to mend, 1 borne" in done.stdout
    for wrong in (excepted("2026-01-01"), excepted("2999-01-01", package="other"), excepted('"x"')):
        assert audit(tmp_path, database.url, wrong).returncode == 1, wrong
    assert "ended on 2026-01-01" in audit(tmp_path, database.url, excepted("2026-01-01")).stdout


@pytest.mark.parametrize("said", [None, Say(404), Say(503), Say(200, b"<html>"), Say(200, [])])
def test_nobody_there_is_said_and_is_no_finding(
    said: Say | None, database: Server, tmp_path: Path
) -> None:
    url = database.url if said else "http://127.0.0.1:9/v1/query"
    if said:
        database.says(said)
    done = audit(tmp_path, url)
    assert done.returncode == 0
    assert done.stdout.startswith("NOT AUDITED: unreachable")
    assert "audited: 0" not in done.stdout


def test_a_database_that_breaks_off_is_no_success(database: Server, tmp_path: Path) -> None:
    database.says(Say(200, {}), Say(500))
    done = audit(tmp_path, database.url)
    assert done.returncode == 1
    assert "The audit failed: dbt/requirements.txt" in done.stdout


def test_a_lock_without_hashes_is_no_lock(database: Server, tmp_path: Path) -> None:
    (tmp_path / "requirements.in").write_text("idna")
    (tmp_path / "requirements.txt").write_text("idna==3.20\n")
    done = audit(tmp_path, database.url)
    assert done.returncode == 1
    assert "requirements.txt" in done.stdout


def test_every_lock_is_audited_and_has_hashes() -> None:
    """What is installed anywhere is pinned, and proven by a hash."""
    import re

    ask = "import sys; sys.path.insert(0, sys.argv[1]); import audit, pathlib, json; "
    ask += "print(json.dumps([str(p) for p in audit.locks(pathlib.Path(sys.argv[2]))]))"
    done = subprocess.run(
        [PYTHON, "-I", "-c", ask, ROOT / "tests/audit", ROOT],
        capture_output=True,
        text=True,
        check=True,
    )
    found = [Path(file) for file in json.loads(done.stdout)]
    tracked = {f for f in ROOT.rglob("requirements.txt") if ".venv" not in str(f)}
    assert set(found) == tracked
    assert len(found) >= 5
    for file in found:
        pinned = re.split(r"\n(?=[a-zA-Z0-9])", "\n" + file.read_text())[1:]
        assert pinned
        for each in pinned:
            assert re.match(r"[\w.\[\]-]+==\S+", each), f"{file}: {each[:60]}"
            assert re.search(r"--hash=sha256:[0-9a-f]{64}", each), f"{file}: {each[:60]}"
