"""What a vendor's file declares, and the three ways in which a transcript is had."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

from requests.auth import AuthBase

from semarize_pipeline.errors import ContractBroken, Unreadable
from semarize_pipeline.model import Conversation, Record, Window
from semarize_pipeline.rest.auth import Credentials, TokenStore
from semarize_pipeline.rest.client import Endpoint, RestClient
from semarize_pipeline.rest.paging import Ask, dig
from semarize_pipeline.state.budgets import Limits

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A conversation whose transcript is asked for; ``record`` is its listing, when at hand."""

    conversation_id: str
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of one request for a transcript.

    ``transcript`` None means not ready yet, unless ``gone`` says why there will never be one
    or ``unreadable`` what was wrong. ``record`` replaces the listing's record, for a vendor
    whose transcript comes inside it. ``silent``: the answer was no JSON, nothing at all.
    """

    transcript: Any = None
    record: Record | None = None
    gone: str | None = None
    unreadable: str | None = None
    silent: bool = False


class Transcripts(Protocol):
    """How a vendor hands out transcripts."""

    @property
    def inline(self) -> bool:
        """Whether the listing holds them, so that asking again costs nothing."""

    def fetch(self, api: RestClient, wanted: Sequence[Wanted]) -> Iterator[tuple[str, Fetched]]:
        """An answer for each one wanted, in any order."""

    def requests_for(self, count: int) -> int:
        """How many requests the transcripts of so many listed conversations take, at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inline:
    """The transcript stands in the listing's record; ``single`` asks for one record by id."""

    single: Endpoint
    id_param: str
    inline: bool = True

    def fetch(self, api: RestClient, wanted: Sequence[Wanted]) -> Iterator[tuple[str, Fetched]]:
        for each in wanted:
            if each.record is not None:
                yield each.conversation_id, Fetched(transcript=each.record, record=each.record)
                continue
            ask = self.single.ask.with_param(self.id_param, each.conversation_id)
            reply = api.send(self.single.method, self.single.path, ask, known=self.single.gone)
            if reply.status >= 400:
                yield each.conversation_id, Fetched(gone="the vendor no longer has it")
                continue
            record = self._record(api, reply.data)
            yield each.conversation_id, Fetched(transcript=record, record=record)

    def requests_for(self, count: int) -> int:
        return 0  # they come with the listing

    def _record(self, api: RestClient, page: Any) -> Record | None:
        """The one record: an object at one of the known places, or the only row of an array."""
        found = [dig(page, path) for path in self.single.rows if path]
        for each in found:
            if isinstance(each, Mapping):
                return each
        if isinstance(page, Mapping) and "" in self.single.rows and found.count(None) == len(found):
            return page or None  # in no envelope
        rows = api.rows(self.single, page)
        if len(rows) > 1:
            raise ContractBroken(
                f"{self.single.path} answered with {len(rows)} records for one id; it ignores "
                f"{self.id_param}"
            )
        return rows[0] if rows else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PerConversation:
    """A request for each conversation, several at a time; ``fallback`` where the first has none.

    ``{id}`` in the path stands for the conversation. 202, an empty answer and the answers in
    ``empty`` mean not ready; those in ``gone`` mean never.
    """

    endpoint: Endpoint
    fallback: Endpoint | None = None
    at_once: int = 8
    inline: bool = False

    def fetch(self, api: RestClient, wanted: Sequence[Wanted]) -> Iterator[tuple[str, Fetched]]:
        strange = 0
        with ThreadPoolExecutor(self.at_once, thread_name_prefix="transcripts") as pool:
            answers = pool.map(lambda each: self._one(api, each.conversation_id), wanted)
            try:
                for each, answer in zip(wanted, answers, strict=True):
                    # One odd answer is one record; the same again and again is the contract.
                    strange = strange + 1 if answer.unreadable else 0
                    if strange >= MANY:
                        raise ContractBroken(f"{answer.unreadable} ({strange} in a row)")
                    yield each.conversation_id, answer
                if strange == len(wanted) > 1:
                    raise ContractBroken(f"{answer.unreadable} (all {strange})")
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def requests_for(self, count: int) -> int:
        return count

    def _one(self, api: RestClient, conversation_id: str) -> Fetched:
        answer = Fetched()
        for endpoint in filter(None, (self.endpoint, self.fallback)):
            answer = self._ask(api, endpoint, conversation_id)
            # What is no answer of the vendor's may be one of a proxy's: the fallback knows less,
            # and it would land in the place of what comes the next time.
            if answer.transcript is not None or answer.gone or answer.unreadable or answer.silent:
                return answer
        return answer

    def _ask(self, api: RestClient, endpoint: Endpoint, conversation_id: str) -> Fetched:
        path = endpoint.path.replace("{id}", _segment(conversation_id))
        try:
            reply = api.send(
                endpoint.method, path, endpoint.ask, known=(*endpoint.empty, *endpoint.gone)
            )
        except ContractBroken as error:
            return Fetched(unreadable=str(error))
        if any(answer.matches(reply.status, reply.data) for answer in endpoint.gone):
            return Fetched(gone="the vendor says that it is gone")
        if reply.status >= 400 or reply.status in (202, 204) or _is_empty(endpoint, reply.data):
            return Fetched(silent=reply.data is None and reply.status < 400)
        return Fetched(transcript=reply.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batched:
    """Many ids in one request (Gong): ``ask`` puts them in, ``of`` reads the id of an answer."""

    endpoint: Endpoint
    ask: Callable[[Sequence[str]], Ask]
    of: Callable[[Record], str]
    size: int = 100
    inline: bool = False

    def fetch(self, api: RestClient, wanted: Sequence[Wanted]) -> Iterator[tuple[str, Fetched]]:
        for start in range(0, len(wanted), self.size):
            ids = [each.conversation_id for each in wanted[start : start + self.size]]
            spoken = {
                self.of(row): row
                for page in api.pages(self.endpoint, self.ask(ids))
                for row in page
            }
            # One that was asked for and not answered is not ready; nobody else's is taken.
            yield from ((id_, Fetched(transcript=spoken.get(id_))) for id_ in ids)

    def requests_for(self, count: int) -> int:
        return math.ceil(count / self.size)


MANY = 10


def _is_empty(endpoint: Endpoint, page: Any) -> bool:
    """Whether nothing is there, or nothing in the places that the endpoint names."""
    places = [dig(page, path) for path in endpoint.rows if path or not isinstance(page, Mapping)]
    return not page or (any(each is not None for each in places) and not any(places))


def _segment(text: str) -> str:
    """An id as one part of a path: vendors' text never adds a path of its own."""
    return quote(text, safe="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How late this vendor is.

    ``lag`` keeps the window's end behind now; ``lookback`` lists again what may come late;
    ``first_retry`` doubles with each try up to ``longest_retry``, until ``expiry`` after the
    conversation began. ``first_retry_by_channel`` is for text, which is ready sooner.
    """

    lag: timedelta = timedelta(0)
    lookback: timedelta = timedelta(days=2)
    first_retry: timedelta = timedelta(minutes=15)
    longest_retry: timedelta = timedelta(hours=12)
    expiry: timedelta = timedelta(days=14)
    first_retry_by_channel: Mapping[str, timedelta] = field(default_factory=dict)

    def next_try(self, now: datetime, tries: int, channel: str | None) -> datetime:
        """When to ask again after ``tries`` vain ones."""
        first = self.first_retry_by_channel.get(channel or "", self.first_retry)
        doubled: timedelta = first * 2 ** min(tries - 1, 20)
        return now + min(self.longest_retry, doubled)

    def but(self, **changes: Any) -> Timing:
        return replace(self, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """A vendor: facts, and one pure translation.

    :param translate: a listing's record and its transcript (None while there is none) as a
        Conversation. Raises ``Unreadable``, KeyError, TypeError or ValueError for a record
        that is not what was agreed.
    :param window: a stretch of time as this vendor's listing asks for it.
    :param is_authorized_by_person: whether a person has to authorize the connection again where
        the token that renews itself is lost.
    :param excluded: why a record is not ours to keep ("private", or another short reason),
        or None.
    """

    name: str
    title: str
    base_url: str
    auth: Callable[[Credentials, TokenStore], AuthBase]
    limits: Limits
    listing: Endpoint
    window: Callable[[Window], Ask]
    transcripts: Transcripts
    translate: Callable[[Record, Any], Conversation]
    excluded: Callable[[Record], str | None] = lambda record: None
    timing: Timing = Timing()
    is_authorized_by_person: bool = False

    @property
    def connection(self) -> str:
        return f"{self.name}_default"

    def read(self, record: Any, transcript: Any = None) -> Conversation:
        """``translate``, with everything that can go wrong in a record named ``Unreadable``."""
        conversation = self._guarded(self.translate, record, transcript)
        if not conversation.conversation_id:
            raise Unreadable("no id")
        return conversation

    def keeps_out(self, record: Any) -> str | None:
        """``excluded``, guarded in the same way."""
        return self._guarded(self.excluded, record)

    def _guarded(self, pure: Callable[..., T], *given: Any) -> T:
        try:
            return pure(*given)
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            IndexError,
            OverflowError,
            RecursionError,
        ) as error:
            # The kind and the field, never the content.
            field_name = f" {error.args[0]!r}" if isinstance(error, KeyError) else ""
            raise Unreadable(
                f"{type(error).__name__}{field_name} in the {self.title} record"
            ) from None
