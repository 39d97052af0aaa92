"""Whom a request trusts, and how much it takes in: real TLS, real compression."""

from __future__ import annotations

import gzip
import ipaddress
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from unit.support import Clock, Say, Server, rest_client, serving

from semarize_pipeline import connect
from semarize_pipeline.errors import ContractBroken, Misconfigured, TryAgain
from semarize_pipeline.rest import client as client_module
from semarize_pipeline.rest.auth import Credentials, OAuth2, bearer, client_credentials
from semarize_pipeline.rest.client import RestClient
from semarize_pipeline.state import State
from semarize_pipeline.state.budgets import Limits

FINE = Say(200, {"ok": True})


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for this machine that nobody but itself signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "our own")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.fixture
def secure(pem: Path) -> Iterator[Server]:
    with serving(pem) as server:
        yield server


def given(server: Server, **extra: Any) -> Credentials:
    return Credentials(
        "acme_default",
        login="id",
        password="the-secret",
        host=server.url,
        extra={"token_url": f"{server.url}/token", **extra},
    )


def client_of(server: Server, state: State, **extra: Any) -> RestClient:
    held = given(server, **extra)
    fast = Limits(requests_per_second=1000)
    return connect.client(held, "https://unused.example", bearer(held), fast, state)


def token_of(server: Server, state: State, **extra: Any) -> OAuth2:
    return OAuth2(
        given(server, **extra), state.tokens, "https://unused.example", client_credentials
    )


def signed(auth: OAuth2) -> Any:
    import requests

    return auth(requests.Request("GET", "https://unused.example/").prepare())


# ---------------------------------------------------------------------- trust


def test_a_certificate_of_nobody_is_refused_before_a_secret_is_sent(
    secure: Server, state: State
) -> None:
    secure.says(FINE)
    for ask in (
        lambda: client_of(secure, state).send("GET", "/calls"),
        lambda: signed(token_of(secure, state)),
    ):
        with pytest.raises(Misconfigured, match=r"acme_default: .*certificate.*verify"):
            ask()
    assert secure.seen == []


def test_a_company_s_own_certificate_is_trusted_where_it_is_named(
    secure: Server, state: State, pem: Path
) -> None:
    secure.says(FINE)
    assert client_of(secure, state, verify=str(pem)).send("GET", "/calls").data == {"ok": True}
    secure.says(Say(200, {"access_token": "t0ken"}))
    auth = token_of(secure, state, verify=str(pem))
    assert signed(auth).headers["Authorization"] == "Bearer t0ken"
    assert [seen.path for seen in secure.seen] == ["/calls", "/token"]


@pytest.mark.parametrize("bundle", ["", "/etc/hostname"])
def test_the_connection_s_own_word_counts_more_than_the_machine_s(
    bundle: str,
    secure: Server,
    server: Server,
    state: State,
    pem: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A variable for the whole machine, as companies set them, and a connection of its own."""
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.delenv("no_proxy")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    secure.says(FINE)
    server.says(FINE)
    assert client_of(secure, state, verify=str(pem)).send("GET", "/calls").status == 200
    away = Credentials(
        "acme_default",
        password="the-secret",
        host="http://vendor.invalid",
        extra={"proxies": {"http": server.url}},
    )
    api = connect.client(away, "", bearer(away), Limits(requests_per_second=1000), state)
    assert api.send("GET", "/calls").data == {"ok": True}
    assert server.seen[0].target == "http://vendor.invalid/calls", "through its own proxy"


def test_a_certificate_for_another_host_is_refused(secure: Server, state: State, pem: Path) -> None:
    named = Credentials(
        "acme_default",
        password="the-secret",
        host=secure.url.replace("127.0.0.1", "localhost"),
        extra={"verify": str(pem)},
    )
    api = connect.client(named, "", bearer(named), Limits(requests_per_second=1000), state)
    with pytest.raises(Misconfigured, match="host"):
        api.send("GET", "/calls")
    assert secure.seen == []


@pytest.mark.parametrize("extra", [{"verify": "/no/such.pem"}, {"verify": "false"}, {"cert": "/x"}])
def test_a_file_that_is_not_there_is_named(
    extra: dict[str, str], secure: Server, state: State
) -> None:
    """Nor does the text "false" switch anything off."""
    with pytest.raises(Misconfigured, match=r"acme_default.*verify or cert"):
        client_of(secure, state, **extra).send("GET", "/calls")
    with pytest.raises(Misconfigured, match=r"acme_default.*verify or cert"):
        signed(token_of(secure, state, **extra))
    assert secure.seen == []


def test_a_handshake_that_breaks_off_may_pass(server: Server, state: State, clock: Clock) -> None:
    """Plain HTTP where TLS was expected: no certificate was judged."""
    api = rest_client(server.url.replace("http:", "https:"), state, clock)
    with pytest.raises(TryAgain, match="SSLError"):
        api.send("GET", "/calls")


# ---------------------------------------------------------------------- how much

PACKED = {"Content-Encoding": "gzip"}


def bomb(size: int) -> bytes:
    return gzip.compress(b'"' + b" " * size + b'"')


def test_a_bomb_is_stopped_after_the_bytes_that_we_take(
    server: Server, state: State, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hundred megabytes in two hundred kilobytes: never held, not even for a moment."""
    monkeypatch.setattr(client_module, "MAX_RESPONSE_BYTES", 1_000_000)
    packed = bomb(200_000_000)
    assert len(packed) < 250_000, "the guard: it is small on the wire"
    server.says(Say(body=packed, headers=PACKED))
    api = rest_client(server.url, state, clock)
    tracemalloc.start()
    try:
        with pytest.raises(ContractBroken, match="more than 1000000 bytes"):
            api.send("GET", "/calls")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000
    server.says(Say(body=bomb(900_000), headers=PACKED))
    assert len(api.send("GET", "/calls").data) == 900_000


def test_packed_within_packed_is_not_followed_for_ever(
    server: Server, state: State, clock: Clock
) -> None:
    packed = gzip.compress(b"{}")
    for _ in range(40):
        packed = gzip.compress(packed)
    server.says(Say(body=packed, headers={"Content-Encoding": ", ".join(["gzip"] * 41)}))
    with pytest.raises(TryAgain):
        rest_client(server.url, state, clock).send("GET", "/calls")


@pytest.mark.parametrize("packed", [False, True])
def test_a_token_endpoint_is_not_listened_to_for_ever(
    packed: bool, server: Server, state: State
) -> None:
    body = b'{"access_token": "' + b"x" * 3_000_000 + b'"}'
    said = Say(200, gzip.compress(body), PACKED) if packed else Say(200, body)
    server.says(said)
    with pytest.raises(ContractBroken, match="acme_default: the token endpoint: more than"):
        signed(token_of(server, state))
