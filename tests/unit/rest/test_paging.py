"""Paging: every row exactly once from any server that keeps its contract; else an error."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.support import Answers, Clock, Request, Say, Server, rest_client

from semarize_pipeline.errors import ContractBroken
from semarize_pipeline.rest.client import Answer, Endpoint
from semarize_pipeline.rest.paging import (
    Ask,
    BodyCursor,
    Offset,
    OnePage,
    PageNumber,
    Paginator,
    TokenOrOffset,
    dig,
)
from semarize_pipeline.state import State

ROWS = st.integers(0, 25)
SIZES = st.integers(1, 9)


def row(number: int) -> dict[str, Any]:
    return {"id": f"c{number}"}


def cut(total: int, start: int, size: int) -> list[dict[str, Any]]:
    return [row(number) for number in range(start, min(total, start + size))]


def cursor_server(total: int, size: int) -> Answers:
    """A cursor in the page while there is more, as Gong documents it."""

    def answer(request: Request) -> Say:
        start = int(request.json.get("cursor", "at-0").removeprefix("at-"))
        records: dict[str, Any] = {"totalRecords": total}
        if start + size < total:
            records["cursor"] = f"at-{start + size}"
        return Say(body={"calls": cut(total, start, size), "records": records})

    return answer


def number_server(total: int, size: int) -> Answers:
    """The next page's number, null after the last, as Salesloft documents it."""

    def answer(request: Request) -> Say:
        page = int(request.params.get("page", 1))
        more = page * size < total
        paging = {"current_page": page, "next_page": page + 1 if more else None}
        return Say(
            body={"data": cut(total, (page - 1) * size, size), "metadata": {"paging": paging}}
        )

    return answer


def offset_server(total: int, cap: int) -> Answers:
    """No end marker, and a cap below the limit that is asked for."""

    def answer(request: Request) -> Say:
        size = min(cap, int(request.params.get("limit", 100)))
        return Say(body=cut(total, int(request.params.get("offset", 0)), size))

    return answer


def token_server(total: int, size: int) -> Answers:
    """A token while there is more, null after the last page."""

    def answer(request: Request) -> Say:
        start = int(request.params.get("nextPage", "t0").removeprefix("t"))
        token = f"t{start + size}" if start + size < total else None
        return Say(body={"results": cut(total, start, size), "nextPage": token})

    return answer


def results_by_offset(total: int, cap: int) -> Answers:
    plain = offset_server(total, cap)
    return lambda request: Say(body={"results": plain(request).body})


KINDS: dict[str, tuple[str, str, Paginator, Callable[[int, int], Answers], Ask]] = {
    "cursor in the body": ("POST", "calls", BodyCursor("records.cursor"), cursor_server, Ask()),
    "page number": ("GET", "data", PageNumber("metadata.paging.next_page"), number_server, Ask()),
    "offset": ("GET", "", Offset(), offset_server, Ask(params={"limit": 9})),
    "token": ("GET", "results", TokenOrOffset(), token_server, Ask()),
    "offset for a token": ("GET", "results", TokenOrOffset(), results_by_offset, Ask()),
}


def endpoint(kind: str, **more: Any) -> Endpoint:
    method, rows, paging, _, ask = KINDS[kind]
    body = {"filter": {"x": 1}} if method == "POST" else None
    return Endpoint(
        method=method,
        path="/list",
        rows=(rows,),
        paging=paging,
        ask=ask.merged(Ask(json=body)),
        **more,
    )


@pytest.mark.parametrize("kind", KINDS)
@given(total=ROWS, size=SIZES)
def test_every_row_exactly_once(
    kind: str, total: int, size: int, server: Server, state: State, clock: Clock
) -> None:
    server.answers = KINDS[kind][3](total, size)
    pages = list(rest_client(server.url, state, clock).pages(endpoint(kind), Ask()))
    assert [each for page in pages for each in page] == cut(total, 0, total)


@pytest.mark.parametrize("kind", ["offset", "offset for a token"])
@given(total=st.integers(1, 25), size=SIZES, new=st.integers(1, 9), after=st.integers(1, 4))
def test_rows_that_move_back_between_pages_are_doubled_and_never_lost(
    kind: str,
    total: int,
    size: int,
    new: int,
    after: int,
    server: Server,
    state: State,
    clock: Clock,
) -> None:
    """New rows at the head of a listing push the others on: landing on their id takes them out."""
    healthy = KINDS[kind][3]
    asked = 0

    def answer(request: Request) -> Say:
        nonlocal asked
        asked += 1
        shifted = new if asked > after else 0
        said = healthy(total + shifted, size)(request)
        rows = said.body if isinstance(said.body, list) else said.body["results"]
        moved = [{"id": f"c{int(r['id'][1:]) - shifted}"} for r in rows]
        return Say(body=moved if isinstance(said.body, list) else {"results": moved})

    server.answers = answer
    pages = rest_client(server.url, state, clock).pages(endpoint(kind), Ask())
    got = [row["id"] for page in pages for row in page]
    assert {row["id"] for row in cut(total, 0, total)} <= set(got)


@pytest.mark.parametrize(("total", "size"), [(0, 3), (3, 3), (6, 3), (7, 3), (1, 1)])
def test_the_exact_multiple_and_the_empty_listing(
    total: int, size: int, server: Server, state: State, clock: Clock
) -> None:
    for kind in KINDS:
        server.answers = KINDS[kind][3](total, size)
        pages = rest_client(server.url, state, clock).pages(endpoint(kind), Ask())
        assert sum(map(len, pages)) == total, kind


@given(total=ROWS, cap=SIZES, asked=st.integers(1, 30))
def test_a_cap_below_what_is_asked_loses_nothing(
    total: int, cap: int, asked: int, server: Server, state: State, clock: Clock
) -> None:
    server.answers = offset_server(total, cap)
    listing = endpoint("offset")
    pages = rest_client(server.url, state, clock).pages(listing, Ask(params={"limit": asked}))
    assert sum(map(len, pages)) == total


def test_a_page_without_rows_in_the_middle_is_no_end(
    server: Server, state: State, clock: Clock
) -> None:
    server.says(
        Say(body={"calls": [], "records": {"cursor": "two"}}),
        Say(body={"calls": [], "records": {"cursor": "three"}}),
        Say(body={"calls": [row(1)], "records": {}}),
    )
    pages = rest_client(server.url, state, clock).pages(endpoint("cursor in the body"), Ask())
    assert [len(page) for page in pages] == [0, 0, 1]


def test_the_ask_is_kept_from_page_to_page(server: Server, state: State, clock: Clock) -> None:
    client = rest_client(server.url, state, clock)
    server.answers = cursor_server(5, 2)
    list(client.pages(endpoint("cursor in the body"), Ask(json={"from": "2026"})))
    assert [r.json.get("cursor") for r in server.seen] == [None, "at-2", "at-4"]
    assert all(r.json["filter"] == {"x": 1} and r.json["from"] == "2026" for r in server.seen)
    server.seen.clear()
    server.answers = offset_server(5, 2)
    list(client.pages(endpoint("offset"), Ask(params={"from": "2026"})))
    assert [r.params.get("offset") for r in server.seen] == [None, "2", "4", "5"]
    assert all(r.params["from"] == "2026" and r.params["limit"] == "9" for r in server.seen)


STUCK: dict[str, Answers] = {
    "cursor in the body": lambda r: Say(body={"calls": [row(1)], "records": {"cursor": "x"}}),
    "page number": lambda r: Say(body={"data": [row(1)], "metadata": {"paging": {"next_page": 2}}}),
    "token": lambda r: Say(body={"results": [row(1)], "nextPage": "x"}),
    "offset": lambda r: Say(body=[row(1), row(2)]),
    "offset for a token": lambda r: Say(body={"results": [row(1), row(2)]}),
}


@pytest.mark.parametrize("kind", STUCK)
def test_a_server_that_does_not_move_is_an_error(
    kind: str, server: Server, state: State, clock: Clock
) -> None:
    server.answers = STUCK[kind]
    pages = rest_client(server.url, state, clock).pages(endpoint(kind), Ask())
    with pytest.raises(ContractBroken, match=r"did not move|ignores our paging"):
        list(itertools.islice(pages, 50))
    assert len(server.seen) <= 3
    assert set(STUCK) == set(KINDS), "every paginator has a stuck server"


def test_a_token_that_ignores_itself_is_seen_by_its_rows(
    server: Server, state: State, clock: Clock
) -> None:
    """The token moves and the page does not: nothing but the rows shows it."""
    count = iter(range(1000))
    server.answers = lambda r: Say(body={"results": [row(1)], "nextPage": f"t{next(count)}"})
    pages = rest_client(server.url, state, clock).pages(endpoint("token"), Ask())
    with pytest.raises(ContractBroken, match="same page"):
        list(itertools.islice(pages, 50))


def test_a_listing_that_leads_back_to_itself_is_an_error(
    server: Server, state: State, clock: Clock
) -> None:
    """Each cursor moves, and the third is the first again: neither cursor nor rows show it."""
    follows = {None: "a", "a": "b", "b": "c", "c": "a"}
    server.answers = lambda r: Say(
        body={
            "calls": [row(len(server.seen))],
            "records": {"cursor": follows[r.json.get("cursor")]},
        }
    )
    pages = rest_client(server.url, state, clock).pages(
        endpoint("cursor in the body"), Ask(json={})
    )
    with pytest.raises(ContractBroken, match="led back"):
        list(itertools.islice(pages, 50))
    assert len(server.seen) == 4


EXPIRED = Answer(400, "cursor has expired")


@given(total=st.integers(1, 12), size=st.integers(1, 4), after=st.integers(1, 3))
def test_an_expired_cursor_reads_the_listing_again(
    total: int, size: int, after: int, server: Server, state: State, clock: Clock
) -> None:
    healthy, asked = cursor_server(total, size), 0

    def answer(request: Request) -> Say:
        nonlocal asked
        asked += 1
        if asked == after + 1:
            return Say(400, {"errors": ["The cursor has expired."]})
        return healthy(request)

    server.answers = answer
    listing = endpoint("cursor in the body", restart=(EXPIRED,))
    pages = rest_client(server.url, state, clock).pages(listing, Ask())
    got = [each["id"] for page in pages for each in page]
    assert set(got) == {each["id"] for each in cut(total, 0, total)}
    assert got[-total:] == [each["id"] for each in cut(total, 0, total)], "read whole in the end"


def test_a_cursor_that_always_expires_is_an_error(
    server: Server, state: State, clock: Clock
) -> None:
    healthy = cursor_server(4, 2)
    server.answers = lambda r: (
        Say(400, {"errors": ["the cursor has expired"]}) if "cursor" in r.json else healthy(r)
    )
    pages = rest_client(server.url, state, clock).pages(
        endpoint("cursor in the body", restart=(EXPIRED,)), Ask()
    )
    with pytest.raises(ContractBroken, match="slice_hours"):
        list(pages)
    assert len(server.seen) < 10


def test_a_known_empty_answer_is_no_rows_and_any_other_404_an_error(
    server: Server, state: State, clock: Clock
) -> None:
    client = rest_client(server.url, state, clock)
    listing = endpoint("cursor in the body", empty=(Answer(404, "no calls found corresponding"),))
    server.says(Say(404, {"errors": ["No calls found corresponding to the provided filters"]}))
    assert list(client.pages(listing, Ask())) == []
    for other in (
        Say(404, {"errors": ["no such path"]}),
        Say(404, b"<html>not found</html>", {"Content-Type": "text/html"}),
        Say(404),
        Say(400, {"errors": ["No calls found corresponding to the provided filters"]}),
    ):
        server.says(other)
        with pytest.raises(ContractBroken, match=f"{other.status}"):
            list(client.pages(listing, Ask()))


@pytest.mark.parametrize(
    "page", [{"items": []}, {"calls": {"a": 1}}, {"calls": None}, "text", 5, None, {}]
)
def test_an_unknown_envelope_is_never_no_rows(
    page: Any, server: Server, state: State, clock: Clock
) -> None:
    server.says(Say(body=page))
    pages = rest_client(server.url, state, clock).pages(endpoint("cursor in the body"), Ask())
    with pytest.raises(ContractBroken, match="unknown shape"):
        list(pages)


def test_one_of_several_envelopes(server: Server, state: State, clock: Clock) -> None:
    listing = Endpoint(method="GET", path="/x", rows=("data.items", "items", ""))
    client = rest_client(server.url, state, clock)
    for page in ({"data": {"items": [1]}}, {"items": [1]}, [1]):
        server.says(Say(body=page))
        assert list(client.pages(listing, Ask())) == [[1]]
    assert OnePage().next(Ask(), [1], 1) is None


def test_asks_merge_and_later_words_win() -> None:
    base = Ask(params={"limit": 5, "a": 1}, json={"x": 1})
    assert base.merged(Ask(params={"limit": 9})) == Ask({"limit": 9, "a": 1}, {"x": 1})
    assert base.merged(Ask(json={"x": 2, "y": 3})).json == {"x": 2, "y": 3}
    assert Ask().merged(Ask(json={"y": 1})).json == {"y": 1}
    assert Ask().with_json("a", 1) == Ask(json={"a": 1})
    assert base.params == {"limit": 5, "a": 1}, "an ask is never changed in place"


def test_dig() -> None:
    page = {"a": {"b": [1]}, "n": None}
    assert dig(page, "a.b") == [1]
    assert dig(page, "") is page
    assert dig(page, "a.c.d") is None
    assert dig(page, "n.x") is None
    assert dig([1], "a") is None
