"""What every request keeps to on the wire: whom it trusts, and how much it takes in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests

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


def content(response: requests.Response, where: str, most: int) -> bytes:
    """The body as it is after decompression, a piece at a time, and never beyond ``most`` bytes."""
    chunks: list[bytes] = []
    size = 0
    for chunk in response.iter_content(CHUNK_BYTES):
        size += len(chunk)
        if size > most:
            raise ContractBroken(f"{where}: more than {most} bytes; ask for less")
        chunks.append(chunk)
    return b"".join(chunks)
