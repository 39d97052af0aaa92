"""What every request keeps to on the wire: whom it trusts, and how much it takes in."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import requests
import urllib3

from semarize_pipeline.errors import ContractBroken, Misconfigured

CHUNK_BYTES = 1 << 18


def trust(extra: Mapping[str, Any]) -> dict[str, Any]:
    """Of a connection's extra, what says whom to trust and whom to pass through."""
    return {
        "verify": extra.get("verify", True),
        "cert": extra.get("cert"),
        "proxies": extra.get("proxies") or {},
    }


class Session(requests.Session):
    """A session whose own trust and proxies count more than those of the machine.

    In requests, ``REQUESTS_CA_BUNDLE`` and ``HTTPS_PROXY`` would win over a session's.
    """

    def merge_environment_settings(
        self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> Any:
        own = self.verify if verify is None and self.verify is not True else verify
        through = {**self.proxies, **(proxies or {})}
        return super().merge_environment_settings(url, through, stream, own, cert)


def untrusted(error: OSError, connection: str) -> Misconfigured | None:
    """The remedy where trust is what is wrong, which no later try would mend; else None."""
    if isinstance(error, requests.exceptions.SSLError):
        if "CERTIFICATE_VERIFY_FAILED" not in str(error):
            return None
        return Misconfigured(
            f"{connection}: the server's certificate is not one that this machine trusts. Check "
            "the connection's host; behind your company's own certificates, name their file as "
            "the extra verify"
        )
    if isinstance(error, requests.RequestException) or "Could not find" not in str(error):
        return None
    return Misconfigured(
        f"{connection}: a file that its extra verify or cert names is not there; correct its path"
    )


def content(response: requests.Response, where: str, most: int, seconds: float = 60.0) -> bytes:
    """The body as it is after decompression: at most so many bytes, in at most so many seconds.

    Raises requests' own errors where it breaks off or does not end.
    """
    chunks: list[bytes] = []
    size = 0
    give_up = time.monotonic() + seconds
    try:
        # Whatever has come so far, each time: waiting for whole chunks, an answer that drips
        # would never let us look at the clock.
        while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
            size += len(chunk)
            if size > most:
                raise ContractBroken(f"{where}: more than {most} bytes; ask for less")
            if time.monotonic() > give_up:
                raise requests.exceptions.ReadTimeout(f"no end after {seconds:.0f} s")
            chunks.append(chunk)
    except urllib3.exceptions.HTTPError as error:
        raise requests.exceptions.ConnectionError(type(error).__name__) from None
    return b"".join(chunks)
