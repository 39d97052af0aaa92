"""What the fuzzer has found, each fault as small as it became: none may come back."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from fuzz import mutate, samples
from fuzz.oracles import client

from semarize_pipeline import landing, vendors
from semarize_pipeline.errors import ContractBroken, Unreadable
from semarize_pipeline.rest.client import TOO_DEEP, Endpoint
from semarize_pipeline.semarize.client import SemarizeClient

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
LISTING = Endpoint(method="GET", path="/list", rows=("rows",))
ID = {"clari_copilot": "call_id", "gong": "id"}


def received(value: Any) -> Any:
    data, readable = mutate.received(value)
    assert readable
    return data


def sample(vendor: str) -> samples.Sample:
    return copy.deepcopy(samples.of_vendor(vendor)[0])


def named(vendor: str, record: Any, **fields: Any) -> Any:
    """The record with other fields where this vendor has its own."""
    place = record["metaData"] if vendor == "gong" else record
    place.update({ID.get(vendor, name) if name == "id" else name: v for name, v in fields.items()})
    return record


@pytest.mark.parametrize("vendor", vendors.names())
@pytest.mark.parametrize("raw", ["lists:990", "objects:260", "lists:200"])
def test_a_record_of_a_thousand_brackets_costs_no_other_record(vendor: str, raw: str) -> None:
    """It could be read, but not written: the whole batch failed, in this run and in the next."""
    one = sample(vendor)
    record = received({**one.record, "deep": f"@raw@{raw}@"})
    assert TOO_DEEP.encode() in orjson.dumps(record), "what is left out is marked"
    made = vendors.get(vendor).read(record, received(one.transcript))
    assert landing.conversation_row(made, NOON)["raw"]
    assert landing.record_name(record)
    assert landing.quarantine_row(vendor, "listing", "why", record, NOON)["quarantine_id"]


def test_an_answer_that_is_nested_as_far_as_any_api_stays_as_it_is() -> None:
    within: Any = "words"
    for _ in range(90):
        within = {"a": [within]} if _ % 2 else within
    assert received({"x": within}) == {"x": within}


def test_a_translation_out_of_its_depth_refuses_the_record() -> None:
    """Also where no wire brought it: to read again what was kept must not end the task."""
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(Unreadable, match="RecursionError in the Gong record"):
        vendors.get("gong").read(named("gong", sample("gong").record, media=deep))


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_nan_costs_one_record_and_not_the_page(word: str) -> None:
    """Python and JavaScript write it, and it is no JSON: the page was asked for again for ever."""
    gong = vendors.get("gong")
    bad, good = (mutate.wire(sample("gong").record) for _ in range(2))
    bad = bad.replace(b'"duration": ', b'"duration": %s, "was": ' % word.encode())
    body = b'{"calls": [%s, %s], "records": {}}' % (bad, good)
    ((first, second),) = client(body).pages(gong.listing, gong.listing.ask)
    with pytest.raises(Unreadable, match="duration is not a finite number"):
        gong.read(first)
    assert gong.read(second).conversation_id


@pytest.mark.parametrize("vendor", vendors.names())
def test_an_id_that_no_index_takes_is_refused(vendor: str) -> None:
    one = sample(vendor)
    for wrong in ("x" * 501, "9" * 3000, ".", ".."):
        with pytest.raises(Unreadable, match="is not an id"):
            vendors.get(vendor).read(named(vendor, one.record, id=wrong))
    assert vendors.get(vendor).read(named(vendor, one.record, id="x" * 500))


@pytest.mark.parametrize("vendor", vendors.names())
@pytest.mark.parametrize("wrong", [-1, -0.5, "-60"])
def test_a_length_below_zero_is_refused(vendor: str, wrong: Any) -> None:
    with pytest.raises(Unreadable, match="duration is below zero"):
        vendors.get(vendor).read(named(vendor, sample(vendor).record, duration=wrong))


def test_clock_text_beyond_every_float_is_refused() -> None:
    record = named("chorus", sample("chorus").record, duration=":".join(["59"] * 200))
    with pytest.raises(Unreadable, match="duration is longer than a year"):
        vendors.get("chorus").read(record)


@pytest.mark.parametrize("vendor", vendors.names())
@pytest.mark.parametrize("wrong", [1e300, 1e15, "1e12"])
def test_a_length_beyond_every_calendar_is_refused(vendor: str, wrong: Any) -> None:
    """It landed, and dbt added it to the start: no model was built, of any conversation."""
    with pytest.raises(Unreadable, match="duration is longer than a year"):
        vendors.get(vendor).read(named(vendor, sample(vendor).record, duration=wrong))


def test_a_time_of_day_in_another_age_is_refused() -> None:
    """A chat's messages may say when, not how long after the start."""
    one = sample("callminer")
    said = [{"speakerRole": "agent", "startTime": "2170-01-01T00:00:00Z", "text": "Hello"}]
    with pytest.raises(Unreadable, match="startTime is longer than a year"):
        vendors.get("callminer").read(one.record, {"utterances": said})


def test_a_letter_that_only_looks_like_an_s_leaks_no_name() -> None:
    """Without regard to case, a long s is an s; the role was then looked up with it, and named."""
    one = sample("salesloft")
    said = [{"start_time": 0, "end_time": 1, "text": "Hello", "speaker": "pro\u017fpect (Kim)"}]
    made = vendors.get("salesloft").read(one.record, {"data": said})
    assert made.utterances[0].speaker_role == "unknown"


def test_an_unknown_envelope_names_fields_and_no_content() -> None:
    """A listing keyed by person, or by text, is an unknown shape too."""
    page = {"Kim Osei said yes": [], "x" * 500: [], "status": "ok"}
    with pytest.raises(ContractBroken, match=r"unknown shape \(\['status'\]\)"):
        list(client(orjson.dumps(page)).pages(LISTING, LISTING.ask))


def test_a_runs_length_beyond_every_column_is_left_out() -> None:
    answer = {"run_id": "r", "status": "failed", "output": {"bricks": ["a"]}}
    for wrong in (1e300, -1, "12", True, 2**60):
        run = SemarizeClient(client(orjson.dumps({**answer, "duration_ms": wrong}))).status("r")
        assert (run.duration_ms, run.bricks) == (None, None)
    run = SemarizeClient(client(orjson.dumps({**answer, "duration_ms": 12}))).status("r")
    assert run.duration_ms == 12


@pytest.mark.parametrize("wrong", ["", "x" * 5000, 7, None])
def test_a_run_without_a_usable_id_is_refused(wrong: Any) -> None:
    body = orjson.dumps({"run_id": wrong, "status": "running"})
    with pytest.raises(ContractBroken, match="run without run_id"):
        SemarizeClient(client(body)).status("r")
