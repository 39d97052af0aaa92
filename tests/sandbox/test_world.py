"""The world behind the stand-ins: what is listed when, what is refused, what is remembered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox.clients import CLIENTS, NOON, Client, Salesloft, call, calls

from semarize_sandbox.faults import Fault
from semarize_sandbox.server import Sandbox, furnish
from semarize_sandbox.wire import format_moment, parse_moment, sign, unsign
from semarize_sandbox.world import World

Start = Callable[..., Client]
everywhere = pytest.mark.parametrize("vendor", list(CLIENTS))
quick = settings(max_examples=150, deadline=None, derandomize=True, database=None)
# Few moments, so that starts, listings and the edges of windows often fall together.
minutes = st.integers(-6, 1).map(lambda number: NOON + timedelta(minutes=number))
edge = st.none() | minutes


# Calls


@quick
@given(
    starts=st.lists(minutes, max_size=6),
    late=st.lists(st.integers(0, 3), min_size=6, max_size=6),
    removed=st.sets(st.integers(0, 5), max_size=2),
    begin=edge,
    end=edge,
)
def test_a_window_holds_what_starts_in_it_is_listed_and_not_removed(
    starts: list[datetime],
    late: list[int],
    removed: set[int],
    begin: datetime | None,
    end: datetime | None,
) -> None:
    made = [
        call("gong", number, started_at=start, listed_after=timedelta(minutes=late[number]))
        for number, start in enumerate(starts)
    ]
    world = World(made)
    world.freeze(NOON)
    for number in removed & set(range(len(made))):
        world.remove("gong", made[number].id)
    expected = sorted(
        (one.started_at, one.id)
        for number, one in enumerate(made)
        if (begin is None or begin <= one.started_at)
        and (end is None or one.started_at < end)
        and one.started_at + timedelta(minutes=1 + late[number]) <= NOON
        and number not in removed
    )
    assert [(one.started_at, one.id) for one in world.listed("gong", begin, end)] == expected
    assert world.listed("chorus", begin, end) == []


def test_a_transcript_goes_from_pending_to_ready_to_gone() -> None:
    late = call("gong", 0, ready_after=timedelta(hours=3))
    never = call("gong", 1, ready_after=None)
    world = World([late, never])
    world.freeze(late.listed_at - timedelta(seconds=1))
    assert world.find("gong", late.id) is None
    assert world.listed("gong", late.started_at) == []
    world.advance(timedelta(seconds=1))
    assert world.find("gong", late.id) == late
    states = []
    for hours in (0, 2, 1):
        world.advance(timedelta(hours=hours))
        states.append((world.transcript_state(late), world.transcript_state(never)))
    assert states == [("pending", "never"), ("pending", "never"), ("ready", "never")]
    world.remove("gong", late.id)
    assert world.transcript_state(late) == "gone"
    assert world.is_removed(late)
    assert world.find("gong", late.id) == late, "the vendor still knows that it had it"
    world.add([replace(late, title="Again")])
    assert world.transcript_state(late) == "gone", "what was purged does not come back"


def test_a_naive_start_is_refused_and_leaves_the_world_alone() -> None:
    world = World(calls("gong", 2))
    naive = call("gong", 2, started_at=NOON.replace(tzinfo=None))
    with pytest.raises(ValueError, match="tzinfo=UTC"):
        world.add([call("gong", 3), naive])
    assert len(world.all_calls("gong")) == 2


def test_pages_are_never_larger_than_documented() -> None:
    world = World()
    assert world.page_limit("gong", 100) == 100
    world.page_size["gong"] = 7
    assert world.page_limit("gong", 100) == 7
    assert world.page_limit("chorus", 100) == 100
    world.page_size["gong"] = 1000
    assert world.page_limit("gong", 100) == 100


# Stand-ins and their switches


@pytest.mark.parametrize("vendor", [*CLIENTS, "semarize"])
def test_a_switch_that_does_not_exist_is_named_and_none_is_set(vendor: str) -> None:
    world = furnish(World())
    switches = world.standin(vendor).switches
    before = asdict(switches)
    assert before, "every stand-in has switches"
    known = next(iter(before))
    with pytest.raises(ValueError, match=rf"{vendor} has no switch shpae; it has .*{known}"):
        world.switch(vendor, **{known: "changed", "shpae": "flat"})
    assert asdict(switches) == before
    world.switch(vendor, **{known: "changed"})
    assert asdict(switches) == {**before, known: "changed"}


def test_stand_ins_have_names_of_their_own() -> None:
    world = furnish(World())
    gong = world.standin("gong")
    with pytest.raises(ValueError, match="two stand-ins are named gong"):
        world.register(gong)
    with pytest.raises(ValueError, match="there are: callminer, chorus"):
        world.standin("gnog")
    assert furnish(world).standin("gong") is gong, "a furnished world stays as it is"


def test_tokens_can_be_ended_at_one_stand_in_or_at_all(start: Start) -> None:
    callminer = start("callminer", calls("callminer", 1))
    world = callminer.world
    salesloft = Salesloft(Sandbox(world, callminer.url.rpartition("/")[0]))
    salesloft.log_in()

    def statuses() -> tuple[int, int]:
        return callminer.page().status_code, salesloft.page().status_code

    assert statuses() == (200, 200)
    world.expire_tokens("salesloft")
    assert statuses() == (200, 401)
    world.expire_tokens()
    assert statuses() == (401, 401)
    with pytest.raises(ValueError, match="no stand-in"):
        world.expire_tokens("gnog")


# The log


@everywhere
def test_no_secret_of_a_connection_or_a_token_reaches_the_log(start: Start, vendor: str) -> None:
    client = start(vendor, calls(vendor, 2))
    (first, *_) = client.listed()
    client.transcript(first)
    extra = client.given["extra"]
    secrets = {client.given["password"], client.headers["Authorization"].partition(" ")[2]}
    secrets |= {extra[name] for name in extra if name in {"refresh_token", "authorization_code"}}
    # A careless client puts them where they do not belong.
    careless = {"access_token": "hush-token", "api_key": "hush-key", "password": "hush-word"}
    client.send("GET", "/no/such/path", params={**careless, "page": "3"})
    client.send("POST", "/no/such/path", json={**careless, "page": "4"})
    client.send("POST", "/no/such/path", data={**careless, "page": "5"})
    logged = client.world.requests(vendor)
    assert [each.query.get("page") or (each.body or {}).get("page") for each in logged[-3:]] == [
        "3",
        "4",
        "5",
    ], "the rest of a request is kept"
    told = repr(logged)
    for secret in secrets | set(careless.values()):
        assert secret not in told
    stats = requests.get(f"{client.url}/../control/stats", timeout=5).text
    assert not [secret for secret in secrets if secret in stats]


def test_the_log_is_searched_by_stand_in_and_path_and_can_be_cleared(start: Start) -> None:
    gong = start("gong", calls("gong", 1))
    gong.page()
    gong.transcript("1")
    assert [each.path for each in gong.world.requests("gong", "transcript")] == [
        "/v2/calls/transcript"
    ]
    assert len(gong.world.requests()) == 2
    assert gong.world.requests("chorus") == []
    gong.world.clear_log()
    assert gong.world.requests() == []
    assert gong.world.statistics()["gong"]["requests"] == 0


def test_the_most_requests_at_once_are_counted(start: Start) -> None:
    gong = start("gong", calls("gong", 1))
    gong.world.fault("gong", Fault(kind="delay", seconds=0.3, count=3))
    three = [threading.Thread(target=gong.page) for _ in range(3)]
    for thread in three:
        thread.start()
    for thread in three:
        thread.join()
    gong.page()
    assert gong.world.statistics()["gong"]["most_at_once"] == 3
    gong.world.clear_log()
    gong.page()
    assert gong.world.statistics()["gong"]["most_at_once"] == 1


def test_the_most_requests_in_any_second_are_counted(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    gong = start("gong", calls("gong", 1))
    clock = iter([0.0, 0.4, 0.9, 1.1, 1.3, 2.5])
    monkeypatch.setattr(World, "monotonic", staticmethod(lambda: next(clock)))
    for _ in range(6):
        gong.world.arrive("gong")
    # Those at 0.4, 0.9, 1.1 and 1.3, which no whole second of a clock holds.
    assert gong.world.statistics()["gong"]["most_in_a_second"] == 4
    gong.world.clear_log()
    assert gong.world.statistics()["gong"]["most_in_a_second"] == 0


# Faults


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"count": 0}, "count must be at least 1"),
        ({"status": 99}, "status must be"),
        ({"status": 600}, "status must be"),
        ({"seconds": -1.0}, "seconds must not"),
    ],
)
def test_a_fault_that_could_not_be_served_is_refused(wrong: dict[str, float], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Fault(kind="status", **wrong)  # type: ignore[arg-type]


def test_faults_are_met_in_their_order_and_cleared_by_stand_in() -> None:
    world = furnish(World())
    for status in (500, 501):
        world.fault("gong", Fault(kind="status", status=status, match="transcript"))
    world.fault("gong", Fault(kind="drop", count=None))
    world.fault("chorus", Fault(kind="drop"))
    taken = [world.faults.take("gong", "/v2/calls/transcript") for _ in range(4)]
    assert [fault.status for fault in taken if fault is not None] == [500, 501, None, None]
    assert world.faults.waiting() == {"gong": 1, "chorus": 1}
    world.faults.clear("gong")
    assert world.faults.waiting() == {"chorus": 1}
    assert world.faults.take("gong", "/v2/calls/transcript") is None


# What goes over the wire


@quick
@given(
    content=st.dictionaries(st.text(max_size=5), st.integers(0, 2**40) | st.text(max_size=5)),
    position=st.integers(0, 10_000),
    other=st.characters(codec="utf-8"),
)
def test_a_signed_text_is_read_back_and_no_character_of_it_can_be_changed(
    content: dict[str, int | str], position: int, other: str
) -> None:
    signed = sign(content)
    assert unsign(signed) == content
    position %= len(signed)
    changed = signed[:position] + other + signed[position + 1 :]
    assert unsign(changed) == (content if changed == signed else None)
    assert unsign(signed[:position]) is None


@quick
@given(
    moment=st.datetimes(timezones=st.sampled_from([UTC])),
    offset=st.integers(-23, 23),
)
def test_a_moment_is_read_whatever_its_offset(moment: datetime, offset: int) -> None:
    assert parse_moment(format_moment(moment)) == moment
    naive = moment.replace(tzinfo=None).isoformat()
    assert parse_moment(naive) == moment
    away = f"{naive}{'+' if offset >= 0 else '-'}{abs(offset):02d}:00"
    try:
        expected = moment - timedelta(hours=offset)
    except OverflowError:
        with pytest.raises(ValueError, match="year"):
            parse_moment(away)
        return
    assert parse_moment(away) == expected
    assert parse_moment(away.replace("+", " ")) == expected, "a plus sign that became a space"


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_a_moment_outside_of_the_calendar_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="year"):
        parse_moment(text)
