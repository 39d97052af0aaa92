"""Reading requests and writing answers, the same for every stand-in."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response

# The sandbox guards nothing, so its tokens need no secret key. They are signed so that they
# are opaque to clients and still good after the sandbox was started again.
_SIGNING_KEY = b"semarize sandbox"


def json_answer(
    content: Any,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    media_type: str = "application/json",
) -> Response:
    return Response(
        orjson.dumps(content),
        status_code=status,
        headers=None if headers is None else dict(headers),
        media_type=media_type,
    )


async def read_json(request: Request) -> dict[str, Any] | None:
    """The body as a JSON object; ``{}`` for an empty body, None when it is anything else."""
    body = await request.body()
    if not body.strip():
        return {}
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return content if isinstance(content, dict) else None


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form-encoded body."""
    body = await request.body()
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def parse_moment(text: str) -> datetime:
    """An ISO 8601 moment or day in UTC; ValueError when it is neither."""
    text = text.strip()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        # A plus sign that was not percent-encoded in a query arrives as a space.
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("in UTC the moment is before the year 1 or after 9999") from None


def is_day(text: str) -> bool:
    """Whether the text names a whole day rather than a moment."""
    return len(text.strip()) == len("2025-01-31")


def format_moment(moment: datetime) -> str:
    """ISO 8601 with Z; microseconds only where there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def whole_number(text: str | None, default: int, least: int, most: int) -> int:
    """A number from a query, silently corrected into its bounds."""
    try:
        number = default if text is None else int(text)
    except ValueError:
        number = default
    return min(max(number, least), most)


def fingerprint(*parts: str) -> int:
    """A number that depends on nothing but ``parts``: the same in every process."""
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).digest()
    return int.from_bytes(digest, "big")


def digits(length: int, *parts: str) -> str:
    """A text of exactly ``length`` digits that starts with no zero."""
    span = 9 * 10 ** (length - 1)
    return str(10 ** (length - 1) + fingerprint(*parts) % span)


def hexadecimal(length: int, *parts: str) -> str:
    return f"{fingerprint(*parts):032X}"[:length]


def sign(content: Mapping[str, Any]) -> str:
    """An opaque text that only this package can have made."""
    payload = base64.urlsafe_b64encode(orjson.dumps(dict(content))).rstrip(b"=")
    seal = hmac.new(_SIGNING_KEY, payload, hashlib.sha256).hexdigest()[:32]
    return f"{payload.decode()}.{seal}"


def unsign(text: str) -> dict[str, Any] | None:
    """What ``sign`` was given, or None for a text that it did not make."""
    payload, _, seal = text.partition(".")
    expected = hmac.new(_SIGNING_KEY, payload.encode(), hashlib.sha256).hexdigest()[:32]
    if not hmac.compare_digest(seal.encode(), expected.encode()):
        return None
    try:
        content = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, orjson.JSONDecodeError):
        return None
    return content if isinstance(content, dict) else None


def bearer(request: Request) -> str | None:
    """The token of an ``Authorization: Bearer`` header."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None
