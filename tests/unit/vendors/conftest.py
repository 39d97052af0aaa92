"""What the vendors' tests share: records spoilt in every place, and how a reading must end."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Any, get_args

import orjson
import pytest
from fuzz.mutate import places

from semarize_pipeline import landing
from semarize_pipeline.errors import Unreadable
from semarize_pipeline.model import Channel, Conversation, Record, Role, TranscriptStatus
from semarize_pipeline.vendors.base import Vendor

SPOILT: tuple[Any, ...] = (
    None, "", " ", 0, [], {}, True, -1.5, 1e300, 2**64 - 1, "\x00", "other", [None], [1], [[]],
    ["x"], [{}], {"name": None}, {"x": []},
)  # fmt: skip


def spoilt(value: Any) -> Iterator[Any]:
    """Copies of ``value``, each without one of its parts or with something else in its place."""
    yield from SPOILT
    for path in list(places(value)):
        for replacement in (..., *SPOILT):
            made = copy.deepcopy(value)
            holder = made
            for key in path[:-1]:
                holder = holder[key]
            if replacement is ...:
                del holder[path[-1]]
            else:
                holder[path[-1]] = replacement
            yield made


def _is_sound(conversation: Conversation) -> None:
    assert isinstance(conversation.conversation_id, str)
    assert conversation.conversation_id
    assert conversation.started_at.tzinfo is UTC
    assert conversation.channel in get_args(Channel)
    assert conversation.status in get_args(TranscriptStatus)
    for said in conversation.utterances:
        assert said.text.strip()
        assert said.speaker_role in get_args(Role)
    numbers = [each.start_seconds for each in conversation.utterances]
    numbers += [each.end_seconds for each in conversation.utterances]
    for number in (*numbers, conversation.duration_seconds):
        assert number is None or isinstance(number, float)
    row = landing.conversation_row(conversation, conversation.started_at)
    for name, value in row.items():
        if name not in ("participants", "attributes", "raw"):
            assert not isinstance(value, list | dict), name
    orjson.dumps([conversation.attributes, row["participants"]])


@pytest.fixture(scope="session")
def survives() -> Callable[[Vendor, Record, Any], None]:
    """Read a record and its transcript spoilt in every place, one place at a time."""

    def check(vendor: Vendor, record: Record, transcript: Any = None) -> None:
        pairs = [(each, transcript) for each in spoilt(record)]
        if transcript is not None:
            pairs += [(record, each) for each in spoilt(transcript)]
        sound = 0
        refused: list[str] = []
        for bad_record, bad_transcript in pairs:
            try:
                vendor.keeps_out(bad_record)
                _is_sound(vendor.read(bad_record, bad_transcript))
                sound += 1
            except Unreadable as error:
                refused.append(str(error))
        assert sound > 50, "the guard: most spoilt fields cost that field and nothing more"
        assert max(map(len, refused)) < 120, "a reason is short and holds no content"
        assert len(refused) > 20, "the guard: a record without its id or its moment is refused"

    return check
