"""What the stand-ins with OAuth endpoints have in common."""

from __future__ import annotations

import base64
import binascii

from starlette.requests import Request
from starlette.responses import Response

from semarize_sandbox.wire import json_answer, read_form, read_json


def oauth_error(status: int, code: str, description: str) -> Response:
    """The error shape that RFC 6749 prescribes."""
    return json_answer({"error": code, "error_description": description}, status)


async def token_request(request: Request, *, json_too: bool) -> dict[str, str]:
    """The fields of a token request, with the client from a Basic header if it is there."""
    kind = request.headers.get("content-type", "")
    if "form-urlencoded" in kind:
        content = await read_form(request)
    elif json_too:
        read = await read_json(request)
        content = {key: str(value) for key, value in (read or {}).items()}
    else:
        content = {}
    scheme, _, pair = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic" and "client_id" not in content:
        try:
            decoded = base64.b64decode(pair, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return content
        client_id, _, client_secret = decoded.partition(":")
        content |= {"client_id": client_id, "client_secret": client_secret}
    return content
