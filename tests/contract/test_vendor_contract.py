"""What every vendor owes, proven against the sandbox over real HTTP.

Late transcripts, and windows that are only the overlap, are in tests/acceptance.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from bench import NOW, Bench, call, calls

from semarize_pipeline import vendors
from semarize_pipeline.errors import BadCredentials, ContractBroken, TryAgain, Wait
from semarize_pipeline.settings import ExtractSettings
from semarize_pipeline.vendors.base import Timing
from semarize_sandbox.faults import Fault

Start = Callable[..., Bench]
TRANSCRIPT_PATH = {
    "gong": "transcript",
    "salesloft": "transcription",
    "clari_copilot": "call-details",
    "callminer": "transcript",
    "chorus": "transcript",
}
LIST_PATH = {
    "gong": "extensive",
    "salesloft": "conversations",
    "clari_copilot": "call-details",
    "callminer": "interactions",
    "chorus": "calls",
}


@pytest.mark.parametrize(("count", "page"), [(0, 2), (1, 2), (4, 2), (5, 2), (3, 3), (7, 100)])
def test_every_conversation_lands_once_whatever_the_page_size(
    start: Start, vendor: str, count: int, page: int
) -> None:
    bench = start(calls(vendor, count))
    bench.world.page_size[vendor] = page
    report = bench.extract()
    assert report.listed == report.landed == count
    if count == 0:
        assert bench.state.watermarks.reached(vendor) == NOW
        assert not bench.warehouse.path.exists(), "nothing new must not open the warehouse"
        return
    landed = bench.conversations()
    served = {each.id: each for each in bench.world.all_calls(vendor)}
    assert set(landed) == set(served)
    said = bench.utterances()
    assert [row["text"] for row in said] == [
        turn.text for id_ in sorted(served) for turn in served[id_].turns
    ]
    for id_, row in landed.items():
        assert row["started_at"] == served[id_].started_at
        assert row["transcript_status"] == "ready"
        assert row["utterance_count"] == 3
        assert row["title"]
        assert row["_loaded_by"] == "test"


def test_an_hour_in_which_a_transcript_stays_pending_opens_no_warehouse(
    start: Start, vendor: str
) -> None:
    late = call(vendor, 1, NOW - timedelta(hours=5), ready_after=timedelta(days=1))
    bench = start([*calls(vendor, 1), late])
    bench.extract()
    away = bench.warehouse.path.rename(bench.folder / "away")
    for hours in (1, 2):
        bench.clock.advance(hours=1)
        bench.extract()
        assert not bench.warehouse.path.exists(), f"after {hours} h"
    away.rename(bench.warehouse.path)
    bench.clock.advance(days=1)
    bench.extract()
    assert {row["transcript_status"] for row in bench.conversations().values()} == {"ready"}


def test_fields_that_the_guides_list_are_typed(start: Start, vendor: str) -> None:
    bench = start(calls(vendor, 1))
    bench.extract()
    (row,) = bench.conversations().values()
    assert row["channel"] == "voice"
    assert row["transcript"].count("\n") == 2
    assert "Call number 0" in row["transcript"]
    assert row["owner_id"] or row["owner_name"]
    assert row["participants"]
    assert row["raw"]["record"]
    roles = {said["speaker_role"] for said in bench.utterances()}
    assert roles == {"rep", "customer"}
    starts = [said["start_seconds"] for said in bench.utterances()]
    assert starts == [0.0, 4.5, 9.5]
    if vendor != "callminer":  # CallMiner knows no length of voice in text channels only
        assert row["duration_seconds"] == 60.0


def test_running_twice_equals_running_once(start: Start, vendor: str) -> None:
    bench = start(calls(vendor, 5))
    bench.extract()
    first = bench.conversations(), bench.utterances()
    asked = len(bench.world.requests(vendor, TRANSCRIPT_PATH[vendor]))
    bench.clock.advance(hours=1)
    report = bench.extract()
    assert report.landed == 0
    assert report.known == 5, "the look-back lists them again"
    assert (bench.conversations(), bench.utterances()) == first
    if not bench.vendor.transcripts.inline:
        assert len(bench.world.requests(vendor, TRANSCRIPT_PATH[vendor])) == asked


def test_a_bad_credential_fails_at_once_and_names_the_connection(start: Start, vendor: str) -> None:
    bench = start(calls(vendor, 1))
    wrong = bench.credentials(password="not-the-secret")
    with pytest.raises(BadCredentials, match=f"{vendor}_default") as caught:
        bench.extract(api=bench.api(wrong))
    assert "not-the-secret" not in str(caught.value)
    assert len(bench.world.requests(vendor)) <= 2, "a refused credential is not tried again"
    assert bench.statuses() == {}


def _too_many(bench: Bench, vendor: str, seconds: str) -> None:
    fault = Fault(
        kind="status",
        status=429,
        headers={"Retry-After": seconds},
        body={},
        match=LIST_PATH[vendor],
        count=1,
    )
    bench.world.fault(vendor, fault)


def test_a_short_retry_after_is_waited_for(start: Start, vendor: str) -> None:
    bench = start(calls(vendor, 2))
    _too_many(bench, vendor, "1")
    began = time.monotonic()
    assert bench.extract().landed == 2
    assert time.monotonic() - began >= 0.9


def test_a_long_retry_after_is_handed_back(start: Start, vendor: str) -> None:
    bench = start(calls(vendor, 2))
    _too_many(bench, vendor, "7200")
    began = time.monotonic()
    with pytest.raises(Wait) as caught:
        bench.extract()
    assert time.monotonic() - began < 5, "hours are not slept in a worker"
    left = caught.value.until - datetime.now(UTC)
    assert timedelta(minutes=110) < left <= timedelta(hours=2)
    assert bench.state.watermarks.reached(vendor) == NOW - timedelta(days=7), "it has not moved"


@pytest.mark.parametrize("kind", ["drop", "drop_mid_body", "truncated_json", "not_utf8"])
def test_a_passing_fault_is_tried_again(start: Start, vendor: str, kind: str) -> None:
    bench = start(calls(vendor, 3))
    bench.world.fault(vendor, Fault(kind=kind, match=LIST_PATH[vendor], count=1))
    bench.world.fault(vendor, Fault(kind=kind, match=TRANSCRIPT_PATH[vendor], count=1))
    assert bench.extract().landed == 3
    assert len(bench.conversations()) == 3


def test_server_errors_that_stay_leave_the_watermark(start: Start, vendor: str) -> None:
    bench = start(calls(vendor, 3))
    fault = Fault(kind="status", status=503, headers={"Retry-After": "0"}, body={}, count=None)
    bench.world.fault(vendor, fault)
    with pytest.raises(TryAgain, match=f"{vendor}_default"):
        bench.extract()
    bench.world.faults.clear(vendor)
    assert bench.extract().landed == 3


@pytest.mark.parametrize("status", [200, 404])
def test_a_page_is_never_taken_for_an_empty_list(start: Start, vendor: str, status: int) -> None:
    bench = start(calls(vendor, 3))
    bench.world.fault(
        vendor, Fault(kind="html", status=status, match=LIST_PATH[vendor], count=None)
    )
    with pytest.raises(ContractBroken, match=f"{vendor}_default"):
        bench.extract()
    assert bench.state.watermarks.reached(vendor) == NOW - timedelta(days=7)


@pytest.mark.parametrize("body", [{"unheard": []}, {}, [[]], "null"])
def test_an_unknown_envelope_is_an_error(start: Start, vendor: str, body: object) -> None:
    bench = start(calls(vendor, 3))
    headers = {"Content-Type": "application/json"}
    bench.world.fault(
        vendor,
        Fault(kind="status", status=200, body=body, headers=headers, match=LIST_PATH[vendor]),
    )
    if body == [[]]:
        # A bare array is an envelope that some vendors have; its record is then unreadable.
        try:
            assert bench.extract().quarantined == 1
        except ContractBroken:
            return
        return
    with pytest.raises(ContractBroken):
        bench.extract()


def test_an_expired_token_is_renewed(start: Start, vendor: str) -> None:
    bench = start(calls(vendor, 3))
    bench.extract()
    bench.world.expire_tokens(vendor)
    bench.world.add([call(vendor, 50, NOW - timedelta(hours=1))])
    bench.clock.advance(hours=1)
    assert bench.extract().landed == 1


def test_pending_ones_wait_for_their_own_clock(start: Start, vendor: str) -> None:
    late = call(vendor, 1, NOW - timedelta(hours=2), ready_after=timedelta(days=3))
    bench = start([late])
    bench.extract()
    (entry,) = bench.state.ledger.find(vendor, [late.id]).values()
    assert entry.next_try_at == NOW + timedelta(minutes=10)
    bench.world.clear_log()
    bench.clock.advance(minutes=5)
    bench.extract()
    if not bench.vendor.transcripts.inline:
        assert bench.world.requests(vendor, TRANSCRIPT_PATH[vendor]) == []
    bench.clock.advance(minutes=6)
    bench.extract()
    (entry,) = bench.state.ledger.find(vendor, [late.id]).values()
    assert entry.tries >= 2
    assert entry.next_try_at is not None
    assert entry.next_try_at >= bench.clock() + timedelta(minutes=20), "the clock slows down"


def test_a_transcript_that_never_comes_ends_with_a_reason(start: Start, vendor: str) -> None:
    never = call(vendor, 1, NOW - timedelta(hours=2), ready_after=None)
    bench = start([never])
    bench.extract()
    for _ in range(40):
        bench.clock.advance(hours=13)
        bench.extract()
    (entry,) = bench.state.ledger.find(vendor, [never.id]).values() or [None]
    assert entry is None or entry.status in ("expired", "absent")
    (mirrored,) = bench.query("select status, reason from landing.ledger")
    assert mirrored["status"] in ("expired", "absent")
    assert mirrored["reason"]
    (row,) = bench.conversations().values()
    assert row["transcript_status"] == mirrored["status"]


def test_a_call_listed_late_is_found_by_the_look_back(start: Start, vendor: str) -> None:
    late = call(vendor, 1, NOW - timedelta(hours=2), listed_after=timedelta(hours=20))
    bench = start([call(vendor, 0, NOW - timedelta(hours=3)), late])
    assert bench.extract().listed == 1
    bench.clock.advance(days=1)
    bench.extract()
    assert late.id in bench.conversations()


def test_a_first_run_goes_in_slices_and_can_stop_anywhere(start: Start, vendor: str) -> None:
    spread = [call(vendor, n, NOW - timedelta(days=6, hours=-18 * n)) for n in range(7)]
    bench = start(spread)
    bench.set(
        extract=ExtractSettings(start=timedelta(days=7), slice_hours=24),
        timing={vendor: {"lag": timedelta(0), "lookback": timedelta(hours=1)}},
    )
    # The fourth listing request and all that follow find a server that is down.
    healthy = bench.api()
    for stop_after in range(1, 6):
        bench.world.faults.clear(vendor)
        _break_after(bench, vendor, stop_after)
        with pytest.raises(TryAgain):
            bench.extract(api=healthy)
        reached = bench.state.watermarks.reached(vendor)
        assert reached is not None
        landed = bench.conversations() if bench.warehouse.path.exists() else {}
        behind = {each.id for each in spread if each.started_at < reached}
        assert behind <= set(landed), "the watermark moved past what has not landed"
    bench.world.faults.clear(vendor)
    bench.extract()
    assert set(bench.conversations()) == {each.id for each in spread}
    marked = bench.state.watermarks.slices(vendor)
    assert len(marked) >= 5
    covered = marked[0]["slice_start"]
    for each in marked:  # a look-back may overlap; a gap may never be
        assert each["slice_start"] <= covered
        covered = max(covered, each["slice_end"])
    assert covered == NOW


def _break_after(bench: Bench, vendor: str, requests: int) -> None:
    for _ in range(requests):
        bench.world.fault(vendor, Fault(kind="delay", seconds=0.0))
    down = Fault(kind="status", status=500, headers={"Retry-After": "0"}, body={}, count=None)
    bench.world.fault(vendor, down)


def test_rows_that_shift_between_pages_are_neither_lost_nor_doubled(
    start: Start, vendor: str
) -> None:
    bench = start(calls(vendor, 9))
    bench.world.page_size[vendor] = 3
    bench.world.fault(vendor, Fault(kind="shift_rows", rows=1, match=LIST_PATH[vendor], count=None))
    bench.extract()
    bench.world.faults.clear(vendor)
    bench.clock.advance(hours=1)
    bench.extract()
    assert len(bench.conversations()) == 9


def test_the_vendors_limit_is_kept(start: Start, vendor: str) -> None:
    """With the real limits on both sides, the sandbox never has to say 429."""
    bench = start(calls(vendor, 4), limited=True)
    bench.world.page_size[vendor] = 2
    bench.vendor = vendors.get(vendor)
    # The pace follows real time, so the state's clock does too.
    bench.state.clock = lambda: datetime.now(UTC)
    bench.world.freeze(None)
    fresh = [
        replace(each, started_at=datetime.now(UTC) - timedelta(hours=3, minutes=n))
        for n, each in enumerate(bench.world.all_calls(vendor))
    ]
    bench.world.add(fresh)
    report = bench.extract(until=datetime.now(UTC))
    assert report.landed == 4
    seen = bench.world.requests(vendor)
    assert len(seen) >= 3
    assert [each.status for each in seen if each.status == 429] == []


def test_nothing_secret_and_no_words_reach_the_log(
    start: Start, vendor: str, caplog: pytest.LogCaptureFixture
) -> None:
    bench = start(calls(vendor, 3))
    caplog.set_level(logging.DEBUG)
    oops = Fault(kind="status", status=500, body={"error": "oops"}, match=LIST_PATH[vendor])
    bench.world.fault(vendor, oops)
    bench.extract()
    told = caplog.text
    assert told, "the guard: something was logged"
    held = bench.sandbox.credentials(vendor)
    secrets = [held["password"], *(v for k, v in held["extra"].items() if "url" not in k)]
    for secret in filter(None, secrets):
        assert secret not in told
    assert "Our budget is approved" not in told


def test_one_unreadable_record_is_quarantined_and_the_rest_lands(
    start: Start, vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = start(calls(vendor, 3))
    poison = bench.world.all_calls(vendor)[1].id
    whole = bench.vendor.translate

    def strict(record: object, transcript: object) -> object:
        made = whole(record, transcript)  # type: ignore[arg-type]
        if made.conversation_id == poison:
            raise ValueError("not what was agreed")
        return made

    bench.vendor = replace(bench.vendor, translate=strict)  # type: ignore[arg-type]
    report = bench.extract()
    assert (report.landed, report.quarantined) == (2, 1)
    (row,) = bench.query("select * from landing.quarantine")
    assert row["reason"]
    assert row["raw"]
    assert bench.statuses() == {"landed": 2, "quarantined": 1}


def test_timing_is_sane(vendor: str) -> None:
    timing: Timing = vendors.get(vendor).timing
    assert timing.lookback >= timedelta(hours=24)
    assert timing.expiry > timing.longest_retry > timing.first_retry
    assert timing.lag < timing.lookback
