"""Token pairs: sealed on disk, and clear about what to do when they cannot be opened."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from unit.support import NOON

from semarize_pipeline.errors import Misconfigured
from semarize_pipeline.rest.auth import TokenPair
from semarize_pipeline.state import State

PAIR = TokenPair("access-plain-text", NOON + timedelta(hours=1), "refresh-plain-text")


def test_a_pair_comes_back(state: State) -> None:
    assert state.tokens.load("gong_default") is None
    state.tokens.save("gong_default", PAIR)
    assert state.tokens.load("gong_default") == PAIR
    assert state.tokens.load("other") is None
    newer = TokenPair("second", NOON + timedelta(hours=2))
    state.tokens.save("gong_default", newer)
    assert state.tokens.load("gong_default") == newer


def test_plain_text_is_in_no_column(state: State) -> None:
    state.tokens.save("gong_default", PAIR)
    with state.read() as connection:
        (row,) = connection.execute(sa.text("SELECT * FROM tokens")).all()
    assert "gong_default" in row
    assert "plain-text" not in repr(row)


# SQLite only: its file is ours, with our rights and in our backups; a server's are its own.
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_plain_text_is_nowhere_on_the_disk(state: State, url: str) -> None:
    state.tokens.save("gong_default", PAIR)
    path = Path(str(sa.make_url(url).database))
    written = b"".join(file.read_bytes() for file in path.parent.glob("state.db*"))
    assert b"gong_default" in written, "the pair was looked for where it is"
    assert b"plain-text" not in written
    state.close()
    assert b"plain-text" not in path.read_bytes()


def test_another_key_names_the_remedy(state: State, url: str) -> None:
    state.tokens.save("gong_default", PAIR)
    other = State(url, fernet_key=Fernet.generate_key().decode())
    with pytest.raises(Misconfigured, match="fernet_key") as caught:
        other.tokens.load("gong_default")
    assert "gong_default" in str(caught.value)
    other.close()


def test_a_rotated_key_opens_what_the_old_one_sealed(
    state: State, url: str, fernet_key: str
) -> None:
    """Airflow rotates with a list: the first key seals, each of them opens."""
    state.tokens.save("gong_default", PAIR)
    fresh = Fernet.generate_key().decode()
    rotated = State(url, fernet_key=f"{fresh},{fernet_key}")
    assert rotated.tokens.load("gong_default") == PAIR
    rotated.tokens.save("gong_default", PAIR)
    rotated.close()
    after = State(url, fernet_key=fresh)
    assert after.tokens.load("gong_default") == PAIR
    after.close()


@pytest.mark.parametrize("key", [None, "", "not a key", "ü"])
def test_no_key_names_the_setting(key: str | None, url: str) -> None:
    state = State(url, fernet_key=key)
    with pytest.raises(Misconfigured, match="AIRFLOW__CORE__FERNET_KEY") as caught:
        state.tokens.save("gong_default", PAIR)
    assert "plain-text" not in str(caught.value)
    state.close()
