"""Paging as a pure function of the last request and its page.

A paginator holds no state, so nothing leaks from one run into the next, and it never sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Protocol

from semarize_pipeline.errors import ContractBroken, ListingTooLong

# JSON's objects. They are dicts, and to ask the abstract class first costs ten times as much; each
# record is asked a few hundred times.
OBJECT = (dict, Mapping)


@dataclass(frozen=True, slots=True)
class Ask:
    """The part of a request that paging may change."""

    params: Mapping[str, Any] = field(default_factory=dict)
    json: Mapping[str, Any] | None = None

    def with_param(self, name: str, value: Any) -> Ask:
        return replace(self, params={**self.params, name: value})

    def with_json(self, name: str, value: Any) -> Ask:
        return replace(self, json={**(self.json or {}), name: value})

    def merged(self, other: Ask) -> Ask:
        """Both asks in one; ``other`` wins where both speak."""
        body = {**self.json, **(other.json or {})} if self.json is not None else other.json
        return Ask(params={**self.params, **other.params}, json=body)


class Paginator(Protocol):
    """How a listing goes on."""

    @property
    def page_may_repeat(self) -> bool:
        """False where the same page again and again can only mean that our position is ignored."""

    def next(self, ask: Ask, page: Any, rows: int) -> Ask | None:
        """The ask for the page after ``page`` (which held ``rows``), or None after the last."""


def dig(value: Any, path: str) -> Any:
    """``dig(page, "records.cursor")``: the value at a dotted path, None where it is missing."""
    for name in _names(path):
        if not isinstance(value, OBJECT):
            return None
        value = value.get(name)
    return value


@cache
def _names(path: str) -> tuple[str, ...]:
    """The names of a dotted path: there are a few hundred, each asked for in every record."""
    return tuple(path.split(".")) if path else ()


def _moved(before: Any, after: Any, what: str) -> Any:
    if before == after:
        raise ContractBroken(
            f"the {what} did not move: the server answers the same page again and again; "
            "stop here rather than loop, and ask the vendor"
        )
    return after


@dataclass(frozen=True, slots=True)
class OnePage:
    """A listing that never goes on."""

    page_may_repeat: bool = True

    def next(self, ask: Ask, page: Any, rows: int) -> Ask | None:
        return None


@dataclass(frozen=True, slots=True)
class BodyCursor:
    """A cursor found in the page and sent back in the JSON body (Gong)."""

    path: str
    name: str = "cursor"
    page_may_repeat: bool = True

    def next(self, ask: Ask, page: Any, rows: int) -> Ask | None:
        cursor = dig(page, self.path)
        if not cursor:
            return None
        return ask.with_json(self.name, _moved((ask.json or {}).get(self.name), cursor, "cursor"))


@dataclass(frozen=True, slots=True)
class PageNumber:
    """The page says the number of the next one, and null after the last (Salesloft)."""

    path: str
    name: str = "page"
    page_may_repeat: bool = True

    def next(self, ask: Ask, page: Any, rows: int) -> Ask | None:
        number = dig(page, self.path)
        if not number:
            return None
        return ask.with_param(self.name, _moved(ask.params.get(self.name), number, "page number"))


@dataclass(frozen=True, slots=True)
class Offset:
    """No end marker: go on by the rows received and stop at an empty page (Clari, Chorus).

    A short page proves nothing, since a server may cap the limit that we ask for. ``farthest`` is
    the last offset that the vendor accepts; a listing that goes on there raises ``ListingTooLong``.
    """

    name: str = "offset"
    farthest: int | None = None
    page_may_repeat: bool = False

    def next(self, ask: Ask, page: Any, rows: int) -> Ask | None:
        if rows == 0:
            return None
        following = int(ask.params.get(self.name, 0)) + rows
        if self.farthest is not None and following > self.farthest:
            raise ListingTooLong(
                f"a listing goes on beyond the {self.farthest:,} records that the vendor's paging "
                "reaches; make its slices shorter (slice_hours)"
            )
        return ask.with_param(self.name, following)


@dataclass(frozen=True, slots=True)
class TokenOrOffset:
    """A token where the page gives one, else an offset, else by rows received (CallMiner)."""

    token: str = "nextPage"
    offset: str = "offset"
    page_may_repeat: bool = False

    def next(self, ask: Ask, page: Any, rows: int) -> Ask | None:
        if isinstance(page, Mapping) and self.token in page:
            token = page[self.token]
            if not token:
                return None
            return ask.with_param(self.token, _moved(ask.params.get(self.token), token, "token"))
        return Offset(self.offset).next(ask, page, rows)
