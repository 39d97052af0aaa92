"""What the wire can do while a vendor is read: while it lasts, an error; afterwards, no trace."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import hurried
import pytest
from bench import ALL, NOW, Bench
from faults_wire.wire import CASES, LISTING, TRANSCRIPT, Case, Served, picture, quick
from in_memory import folder_in_memory
from unit.support import Say, serving

from semarize_pipeline.errors import BadCredentials, PipelineError, TryAgain, Wait
from semarize_sandbox import semarize
from semarize_sandbox.faults import Fault, FaultQueue, Storm

pytestmark = pytest.mark.usefixtures("quick")
__all__ = ["quick"]


@pytest.fixture(scope="module", params=ALL)
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    with folder_in_memory() as folder, Served(request.param, folder).open() as made:
        yield made


@pytest.fixture(scope="module")
def calm(served: Served) -> dict[str, Any]:
    return served.undisturbed()


@pytest.fixture
def bench(served: Served) -> Bench:
    made = served.bench()
    # A batch lands before the next page is asked for.
    made.set(extract=replace(made.settings.extract, batch_conversations=3, load_characters=1))
    return made


def stays(bench: Bench, case: Case, match: str, after: int = 0) -> None:
    """The fault, from the request number ``after`` to such a path on, and what is told of it."""
    vendor = bench.vendor.name
    for _ in range(after):
        bench.world.fault(vendor, Fault(kind="delay", match=match))
    bench.world.fault(vendor, case.met_at(match))
    assert case.raises is not None
    with pytest.raises(case.raises, match=case.says) as caught:
        hurried.extract(bench, until=NOW)
    assert f"{vendor}_default" in str(caught.value), case.name
    if isinstance(caught.value, Wait):
        # Until then no request leaves, whoever sends it.
        assert caught.value.until > bench.clock()
        bench.clock.advance(seconds=(caught.value.until - bench.clock()).total_seconds())
    reached = bench.state.watermarks.reached(vendor)
    assert reached == NOW - timedelta(days=7), f"{case.name}: the watermark has moved"
    bench.world.faults.clear(vendor)


def passes(bench: Bench, calm: dict[str, Any]) -> None:
    """The task runs again, and nothing shows what had been."""
    hurried.extract(bench, until=NOW)
    assert bench.state.watermarks.reached(bench.vendor.name) == NOW
    assert picture(bench) == calm


def is_endured(case: Case, match: str) -> bool:
    """What is an answer of the vendor's there, and no fault."""
    return case.name in ("nothing", "null", "another shape", "another 404") and "transc" in match


@pytest.mark.long
def test_every_fault_in_turn_and_then_the_tables_as_if_none_had_been(
    bench: Bench, calm: dict[str, Any]
) -> None:
    vendor = bench.vendor.name
    met = 0
    for case in CASES:
        if vendor in TRANSCRIPT and not is_endured(case, TRANSCRIPT[vendor]):
            stays(bench, case, TRANSCRIPT[vendor])
            met += 1
    assert bench.statuses().keys() <= {"listed"}, "nothing has become of any of them"
    for case in CASES:
        # In the middle of the listing: the first page's conversations have landed by then.
        stays(bench, case, LISTING[vendor], after=1)
        met += 1
    assert met >= len(CASES)
    assert 0 < len(bench.conversations()) < 7
    assert bench.query("select * from landing.quarantine") == []
    passes(bench, calm)


def test_one_odd_answer_about_a_transcript_is_asked_for_again(
    bench: Bench, calm: dict[str, Any]
) -> None:
    """A gateway's page in the place of a transcript is not that record's fault, the first time."""
    vendor = bench.vendor.name
    if vendor in ("gong", "clari_copilot"):
        return  # one request for many: test_every_fault_in_turn
    bench.world.fault(vendor, Fault(kind="html", match=TRANSCRIPT[vendor]))
    report = hurried.extract(bench, until=NOW)
    assert (report.pending, report.landed, report.quarantined) == (1, 6, 0)
    (waiting,) = bench.state.ledger.in_status(vendor, ["pending"])
    assert "login page" in (waiting.reason or "")
    bench.clock.advance(hours=1)
    passes(bench, calm)


def test_an_answer_that_stays_odd_is_the_records_own_fault(bench: Bench) -> None:
    vendor = bench.vendor.name
    if vendor in ("gong", "clari_copilot"):
        return
    odd = sorted(each.id for each in bench.world.all_calls(vendor))[2]
    for _ in range(6):
        bench.world.faults.clear(vendor)
        bench.world.fault(vendor, Fault(kind="html", match=f"{odd}/", count=None))
        bench.world.fault(vendor, Fault(kind="html", match=f"id={odd}", count=None))
        hurried.extract(bench)
        bench.clock.advance(days=1)
    statuses = bench.statuses()
    assert statuses in ({"landed": 6, "quarantined": 1}, {"landed": 7})
    if statuses == {"landed": 7}:
        assert vendor != "salesloft", "its transcripts have the id in their path"


def test_nobody_listens_for_a_while(bench: Bench, calm: dict[str, Any]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
        away = replace(bench.credentials(), host=f"http://127.0.0.1:{taken.getsockname()[1]}")
        for _ in range(2):
            with pytest.raises(TryAgain, match=r"_default.*check the connection's host"):
                hurried.extract(bench, api=hurried.client(bench, away), until=NOW)
    assert bench.statuses() == {}
    passes(bench, calm)


def test_a_redirect_carries_no_credential_anywhere(bench: Bench, calm: dict[str, Any]) -> None:
    vendor = bench.vendor.name
    with serving() as elsewhere:
        elsewhere.says(Say(200, {"calls": [], "data": []}))
        for status in (301, 302, 303, 307, 308):
            for match in filter(None, (LISTING[vendor], TRANSCRIPT.get(vendor))):
                sent_on = Fault(
                    kind="status",
                    status=status,
                    headers={"Location": f"{elsewhere.url}/login"},
                    body={},
                    match=match,
                    count=None,
                )
                bench.world.fault(vendor, sent_on)
                with pytest.raises(BadCredentials, match="credentials are not carried there"):
                    hurried.extract(bench, until=NOW)
                bench.world.faults.clear(vendor)
        assert elsewhere.seen == []
    passes(bench, calm)


def test_a_token_that_dies_in_the_middle_of_a_listing(bench: Bench, calm: dict[str, Any]) -> None:
    """An OAuth token is renewed in its place; a key that was refused is a person's."""
    vendor = bench.vendor.name
    bench.world.fault(vendor, Fault(kind="delay", match=LISTING[vendor]))
    bench.world.fault(vendor, Fault(kind="status", status=401, match=LISTING[vendor]))
    if vendor in ("salesloft", "callminer"):
        assert hurried.extract(bench, until=NOW).landed == 7
    else:
        with pytest.raises(BadCredentials, match=f"{vendor}_default"):
            hurried.extract(bench, until=NOW)
    passes(bench, calm)


@pytest.mark.parametrize("rows", [3, -1])
def test_pages_that_come_twice_and_rows_that_shift_while_reading(
    bench: Bench, calm: dict[str, Any], rows: int
) -> None:
    """3 rows are a page: the page before comes again. -1: a row is skipped."""
    vendor = bench.vendor.name
    moving = Fault(kind="shift_rows", rows=rows, match=LISTING[vendor], count=None)
    bench.world.fault(vendor, moving)
    assert hurried.extract(bench, until=NOW).quarantined == 0
    assert bench.conversations(), "what was shown has landed"
    bench.world.faults.clear(vendor)
    # The next hour's look-back finds what was skipped, though the watermark has moved.
    bench.clock.advance(hours=1)
    hurried.extract(bench)
    assert picture(bench) == calm


FAULTS = [
    # In another shape, but of JSON, a transcript is for the quarantine, and for a replay.
    *(c.met_at("") for c in CASES if c.name not in ("drips", "endless", "another shape")),
    Fault(kind="status", status=302, headers={"Location": "http://elsewhere.example.com/"}),
]


@pytest.mark.long
@pytest.mark.parametrize("vendor", ALL)
def test_a_storm(vendor: str, tmp_path: Path) -> None:
    """A fifth of all requests, Semarize's too, meets a fault, until everything got through."""
    with Served(vendor, tmp_path / "calm").open() as served:
        calm_one = served.bench()
        hurried.extract(calm_one, until=NOW)
        assert hurried.score(calm_one).scored == 7
        calm = picture(calm_one)
    with Served(vendor, tmp_path / "storm").open() as served:
        bench = served.bench()
        extract = replace(bench.settings.extract, batch_conversations=2, load_characters=1)
        bench.set(extract=extract)
        storm = Storm(20261121, 0.2, FAULTS)
        bench.world.faults = storm
        errors = Counter[str]()

        def until_it_gets_through(step: Callable[[], object]) -> None:
            for _ in range(300):
                try:
                    step()
                except Wait as error:
                    errors["Wait"] += 1
                    bench.clock.advance(seconds=(error.until - bench.clock()).total_seconds())
                except PipelineError as error:
                    errors[type(error).__name__] += 1
                else:
                    return
            raise AssertionError(f"300 tries were not enough: {errors}")

        for _ in range(4):
            # Odd and empty answers about transcripts are asked for again on their own clock.
            until_it_gets_through(lambda: hurried.extract(bench, until=NOW))
            until_it_gets_through(lambda: hurried.score(bench))
            bench.clock.advance(hours=2)
        assert storm.met > 5
        assert errors
        bench.world.faults = FaultQueue()
        hurried.extract(bench, until=NOW)
        hurried.score(bench)
        assert picture(bench) == calm
        assert bench.state.watermarks.reached(vendor) == NOW
        assert len(semarize.of(bench.world).paid) == 7
        assert semarize.of(bench.world).duplicates() == []
