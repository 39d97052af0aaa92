"""One vendor's API: sends, retries what may pass, and names what may not.

Errors are sorted by what to do next (see ``errors.py``). Messages hold the connection, the
path and the status, and a vendor's short error text with every credential cut out of it.
"""

from __future__ import annotations

import json
import logging
import math
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_base, wait_random_exponential

from semarize_pipeline.errors import (
    BadCredentials,
    ContractBroken,
    Misconfigured,
    TryAgain,
    Wait,
)
from semarize_pipeline.model import digest
from semarize_pipeline.rest import wire
from semarize_pipeline.rest.pace import Pace
from semarize_pipeline.rest.paging import Ask, OnePage, Paginator, dig

log = logging.getLogger(__name__)

MAX_RESPONSE_BYTES = 256 * 1024 * 1024
TIMEOUT_SECONDS = (10.0, 120.0)  # to connect, and between two packets
LONGEST_READ_SECONDS = 600.0  # from the first packet of an answer to its last
# The longest advice that is believed: beyond the longest period of any limit it is a mistake.
LONGEST_ADVICE_SECONDS = 14 * 86400.0
# A listing whose cursor expires is read again from its first page; more often than this it loops.
MAX_RESTARTS = 3
NOTHING = Ask()
# The name of an error, such as "invalid_input" or "kit.not-found": a sentence has spaces.
_CODE = re.compile(r"[A-Za-z0-9_.:-]+")
LONGEST_CODE = 100
# The escape of a NUL, and not the letters "u0000" after a backslash that is itself escaped.
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
# No API nests like this; what we write holds an answer some levels deeper, and orjson takes 254.
DEEPEST = 100
TOO_DEEP = "(nested too deeply to be kept)"
_FIELD = re.compile(r"[A-Za-z_$@][\w$.-]{0,39}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """A non-2xx answer with a known meaning: this status, and this text somewhere in its JSON."""

    status: int
    says: str = ""

    def matches(self, status: int, body: Any) -> bool:
        if status != self.status:
            return False
        if not self.says:
            return True
        return body is not None and self.says.lower() in orjson.dumps(body).decode().lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One endpoint's facts.

    ``rows`` names where the array may stand ("" is the page itself); any other envelope is an
    error. ``empty`` lists the answers that mean no rows, ``gone`` those that mean never, and
    ``restart`` the one that says a cursor has expired.
    """

    method: str
    path: str
    rows: tuple[str, ...] = ("",)
    ask: Ask = field(default_factory=Ask)
    paging: Paginator = field(default_factory=OnePage)
    empty: tuple[Answer, ...] = ()
    gone: tuple[Answer, ...] = ()
    restart: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """A classified answer: its status, its JSON, and the seconds that it asks us to wait."""

    status: int
    data: Any
    retry_after_seconds: float | None = None


class _Transient(TryAgain):
    """A passing fault that carries the server's advice."""

    def __init__(self, message: str, after_seconds: float | None, limited: bool = False) -> None:
        super().__init__(message)
        self.after_seconds = after_seconds
        self.limited = limited


class _AdvisedWait(wait_base):
    """What the server advised; else exponential with jitter."""

    def __init__(self) -> None:
        self._backoff = wait_random_exponential(multiplier=0.5, max=30)

    def __call__(self, retry_state: RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        advised = getattr(error, "after_seconds", None)
        return float(advised) if advised is not None else float(self._backoff(retry_state))


class RestClient:
    """Requests to one API with one credential.

    :param connection: the connection's name, for error messages.
    :param quotes: whether an error of the other side is quoted in ours. False where requests carry
        words that it may repeat: then only a code is.
    :param patience_seconds: the longest wait inside a request; a longer one raises ``Wait``,
        so that the caller can hand its worker back.
    """

    def __init__(
        self,
        session: requests.Session,
        base_url: str,
        *,
        connection: str,
        pace: Pace,
        secrets: Sequence[str] = (),
        quotes: bool = True,
        patience_seconds: float = 60.0,
        attempts: int = 5,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._connection = connection
        self._pace = pace
        # The longest first: a shorter one may be a part of it.
        self._secrets = sorted(secrets, key=len, reverse=True)
        self._quotes = quotes
        self._patience = patience_seconds
        self._attempts = attempts
        self._clock = clock
        self._retrying = Retrying(
            retry=retry_if_exception_type(_Transient),
            stop=stop_after_attempt(attempts),
            wait=_AdvisedWait(),
            sleep=sleep,
            reraise=True,
        )

    @property
    def sent(self) -> int:
        """Requests sent so far, retries and renewed tokens' second tries included."""
        return self._pace.taken

    # ------------------------------------------------------------------ listings

    def pages(self, endpoint: Endpoint, ask: Ask) -> Iterator[list[Any]]:
        """Every page of a listing, as lists of records, oldest request first."""
        first = endpoint.ask.merged(ask)
        for _ in range(MAX_RESTARTS):
            try:
                yield from self._walk(endpoint, first)
                return
            except _CursorExpired:
                log.info(
                    "%s: the cursor of %s expired; reading the listing again",
                    self._connection,
                    endpoint.path,
                )
        raise ContractBroken(
            f"{self._connection}: the cursor of {endpoint.path} expired {MAX_RESTARTS} times; "
            "make the slices of this vendor shorter (slice_hours)"
        )

    def _walk(self, endpoint: Endpoint, ask: Ask) -> Iterator[list[Any]]:
        following: Ask | None = ask
        seen, times = None, 0
        asked: set[str] = set()
        while following is not None:
            ask = following
            position = digest([ask.params, ask.json])
            if position in asked:
                raise ContractBroken(
                    f"{self._connection}: {endpoint.path} led back to a page that was read, and "
                    "going on would never end; try again later, and ask the vendor if it stays"
                )
            asked.add(position)
            reply = self.send(
                endpoint.method, endpoint.path, ask, known=(*endpoint.empty, *endpoint.restart)
            )
            if reply.status >= 400:
                if any(a.matches(reply.status, reply.data) for a in endpoint.restart):
                    raise _CursorExpired
                return
            records = self.rows(endpoint, reply.data)
            self._pace.charge(len(records))
            if not endpoint.paging.page_may_repeat and records:
                page = digest(records)
                seen, times = page, times + 1 if page == seen else 1
                # Twice may be chance: new rows at the head push the rows of a page on to the next.
                if times > 2:
                    raise ContractBroken(
                        f"{self._connection}: {endpoint.path} answered the same page for three "
                        "positions; it ignores our paging, and going on would never end"
                    )
            yield records
            following = endpoint.paging.next(ask, reply.data, len(records))

    def rows(self, endpoint: Endpoint, page: Any) -> list[Any]:
        """The page's records. An envelope that we do not know is an error, never "no rows"."""
        for path in endpoint.rows:
            found = dig(page, path)
            if isinstance(found, list):
                return found
        # Fields' names only: a key of another kind, such as a person's name, is content.
        named = page if isinstance(page, dict) else ()
        fields = sorted(key for key in named if _FIELD.fullmatch(key))[:8]
        other = "nothing at all" if page is None else type(page).__name__
        shape = fields if isinstance(page, dict) else other
        raise ContractBroken(
            f"{self._connection}: {endpoint.path} answered in an unknown shape ({shape}); expected "
            f"an array at {' or '.join(p or 'the top' for p in endpoint.rows)}"
        )

    # ------------------------------------------------------------------ one request

    def send(
        self,
        method: str,
        path: str,
        ask: Ask = NOTHING,
        *,
        known: Sequence[Answer] = (),
        accept: Sequence[int] = (),
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """One classified answer: ``known`` and ``accept`` come back, other errors raise."""
        body = None if ask.json is None else orjson.dumps(ask.json)
        try:
            return self._retrying(self._once, method, path, ask, body, known, accept, headers)
        except _Transient as error:
            if error.limited:
                # Polite tries are used up: give the worker back instead of holding it.
                until = self._clock() + timedelta(
                    seconds=max(self._patience, error.after_seconds or 0)
                )
                raise Wait(str(error), until) from None
            raise TryAgain(
                f"{error}, {self._attempts} times; if it stays so, check the connection's host, "
                "the network in between, and what the vendor says of its service"
            ) from None

    def _once(
        self,
        method: str,
        path: str,
        ask: Ask,
        body: bytes | None,
        known: Sequence[Answer],
        accept: Sequence[int],
        headers: dict[str, str] | None,
    ) -> Reply:
        where = f"{self._connection}: {method} {path}"
        sent = dict(headers or {})
        if body is not None:
            sent["Content-Type"] = "application/json"
        try:
            with self._session.request(
                method,
                self._base_url + path,
                params=ask.params,
                data=body,
                headers=sent,
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
                stream=True,
            ) as response:
                content = wire.content(response, where, MAX_RESPONSE_BYTES, LONGEST_READ_SECONDS)
        except ValueError as error:
            # Before requests' own errors: some are ValueErrors too, and no fault that passes.
            raise Misconfigured(
                f"{where}: such a request cannot be sent ({type(error).__name__}); check the "
                "connection: its host is a URL such as https://api.example.com, and its "
                "credentials hold no line breaks"
            ) from None
        except OSError as error:
            if mistake := wire.untrusted(error, self._connection):
                raise mistake from None
            if not isinstance(error, requests.RequestException):
                raise
            raise _Transient(f"{where}: {type(error).__name__}", None) from None
        return self._classify(response, content, where, known, accept)

    def _classify(
        self,
        response: requests.Response,
        content: bytes,
        where: str,
        known: Sequence[Answer],
        accept: Sequence[int],
    ) -> Reply:
        status = response.status_code
        data, readable = _parse(content)
        if 200 <= status < 300:
            if not readable:
                self._not_json(response, content, where)
            return Reply(status, data, _retry_after(response, data, self._clock()))
        if status in accept or (readable and any(answer.matches(status, data) for answer in known)):
            return Reply(status, data, _retry_after(response, data, self._clock()))
        said = self._excerpt(response, data)
        if status == 401:
            raise BadCredentials(
                f"{where} refused the credential (401){said}; renew it in the connection"
            )
        if status == 403:
            raise BadCredentials(
                f"{where} is not allowed (403){said}; give this connection's user the missing scope"
            )
        if 300 <= status < 400:
            host = _host(response.headers.get("Location", ""))
            raise BadCredentials(
                f"{where} was sent on to {host} ({status}); credentials are not carried there. "
                "Check the connection's host and whether the credential has expired"
            )
        if status == 429:
            after = _retry_after(response, data, self._clock())
            if after is not None:
                until = self._clock() + timedelta(seconds=after)
                self._pace.hold(until)
                if after > self._patience:
                    raise Wait(f"{where}: the vendor's limit is used up (429)", until)
                # The pace already holds every request back until then.
                raise _Transient(f"{where}: 429", after, limited=True)
            self._pace.hold(self._clock() + timedelta(seconds=1))
            raise _Transient(f"{where}: 429", None, limited=True)
        if status >= 500 or status == 408:
            raise _Transient(
                f"{where}: {status}",
                _short(_retry_after(response, data, self._clock()), self._patience),
            )
        raise ContractBroken(f"{where}: {status}{said}; this answer is not one that we know")

    def _not_json(self, response: requests.Response, content: bytes, where: str) -> None:
        kind = response.headers.get("Content-Type", "no type").split(";")[0]
        if "html" in kind or content.lstrip()[:1] == b"<":
            raise ContractBroken(
                f"{where}: a page ({kind}) instead of JSON; the connection's host may be wrong, or "
                "a proxy or a login page stands in between"
            )
        # Cut short on the way, most likely: worth another try.
        raise _Transient(f"{where}: {response.status_code} with unreadable JSON", None)

    def _excerpt(self, response: requests.Response, data: Any) -> str:
        """The vendor's own short error text, without any credential that it repeats, or nothing."""
        if not isinstance(data, dict):
            return ""
        found = next(
            (data[k] for k in ("error", "errors", "message", "errorMessage") if data.get(k)), None
        )
        if found is None:
            return ""
        if not self._quotes:
            found = error_code(found)
            if found is None:
                return ""
        text = found if isinstance(found, str) else orjson.dumps(found).decode()
        # The header holds what the secrets were made into: a token, or both in base64.
        header = str(response.request.headers.get("Authorization", ""))
        scheme, _, credential = header.partition(" ")
        for secret in filter(None, (credential or scheme, *self._secrets)):
            for written in (secret, orjson.dumps(secret).decode()[1:-1]):
                text = text.replace(written, "***")
        return f": {text[:160]}"


def error_code(found: Any) -> str | None:
    """What an error is called, in one word; None for prose, which may repeat what was said."""
    if isinstance(found, dict):
        told = (error_code(found.get(name)) for name in ("code", "type", "error"))
        return next(filter(None, told), None)
    named = isinstance(found, str) and _CODE.fullmatch(found)
    return found[:LONGEST_CODE] if named else None


class _CursorExpired(Exception):
    """The listing has to be read again from its first page."""


def _parse(content: bytes) -> tuple[Any, bool]:
    if not content:
        return None, True
    # A NUL is valid JSON, and no text in PostgreSQL. Every text comes in here, so it is replaced
    # here, with the character that stands for one that cannot be shown.
    if rb"\u0000" in content:
        content = _NUL.sub(rb"\1\\ufffd", content)
    try:
        return _of_bearable_depth(orjson.loads(content)), True
    except orjson.JSONDecodeError:
        pass
    try:
        # A text cut within an emoji (half a surrogate pair) is valid JSON, and refused above.
        # NaN is not, but many write it; as text it is refused where a number is wanted, so that
        # it costs one record and not the page.
        loaded = json.loads(content, parse_constant=str)
        mended = json.dumps(loaded, ensure_ascii=False).encode("utf-8", "replace")
        return _of_bearable_depth(orjson.loads(mended)), True
    except (ValueError, RecursionError):
        return None, False


def _of_bearable_depth(data: Any) -> Any:
    """The same; or, where it is nested beyond all use, with a remark in place of the depths."""
    probe = data
    for _ in range(DEEPEST):
        probe = [probe]
    try:
        orjson.dumps(probe)
    except TypeError:
        log.warning(
            "an answer is nested more than %d levels deep; what is below is left out", DEEPEST
        )
        return _cut(data, DEEPEST)
    return data


def _cut(data: Any, levels: int) -> Any:
    if not isinstance(data, dict | list):
        return data
    if levels == 0:
        return TOO_DEEP
    if isinstance(data, list):
        return [_cut(each, levels - 1) for each in data]
    return {key: _cut(held, levels - 1) for key, held in data.items()}


def _host(location: str) -> str:
    """Where a redirect leads: the host alone, since the rest may hold a credential."""
    try:
        return urlsplit(location).hostname or "elsewhere"
    except ValueError:
        return "elsewhere"


def _short(after: float | None, patience: float) -> float | None:
    return None if after is None else min(after, patience)


def _retry_after(response: requests.Response, data: Any, now: datetime) -> float | None:
    """Seconds to wait, from whichever place says so; the longest where several do."""
    told: list[float] = []
    header = response.headers.get("Retry-After")
    if header:
        try:
            told.append(float(header))
        except ValueError:
            try:
                told.append((parsedate_to_datetime(header).astimezone(UTC) - now).total_seconds())
            except (TypeError, ValueError):
                log.warning("unreadable Retry-After header")
    reset = response.headers.get("X-RateLimit-Reset")
    if reset and response.status_code == 429:
        try:
            value = float(reset)
        except ValueError:
            log.warning("unreadable X-RateLimit-Reset header")
        else:
            # A number of seconds, or a moment since 1970 (some say it in milliseconds): no wait
            # is as long as 30 years.
            moment = value / 1000 if value > 1e11 else value
            told.append(moment - now.timestamp() if value > 1e9 else value)
    if isinstance(data, dict) and isinstance(data.get("retry_after_seconds"), int | float):
        told.append(float(data["retry_after_seconds"]))
    told = [seconds for seconds in told if math.isfinite(seconds)]
    return min(max(0.0, *told), LONGEST_ADVICE_SECONDS) if told else None
