"""A file of calls is served whole by every vendor, and its words and times are left alone."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sandbox.clients import CLIENTS, NOON, Client

from semarize_sandbox import jsonl

Start = Callable[..., Client]
everywhere = pytest.mark.parametrize("vendor", list(CLIENTS))


def lines(count: int) -> list[dict[str, Any]]:
    """Calls whose times overlap and run backwards and whose words are awkward."""
    texts = ("Good day — “schön”.", " leading and trailing ", "line\nbreak", "<i>&amp;", "日本 🙂")
    return [
        {
            "call_id": f"2020-03-{number:07d}-Results-Call",
            "company": "ACME",
            "country": "Ghana",
            "duration_s": 600.0 + number,
            "speakers": 3,
            "turns": [
                {
                    "speaker": str(turn * 2 % 3),
                    "start": round(500.0 - turn * 7.35, 2),
                    "end": round(510.0 - turn * 7.35, 2),
                    "text": f"{texts[turn % len(texts)]}{number}.{turn}",
                }
                for turn in range(20)
            ],
        }
        for number in range(count)
    ]


def written(folder: Path, content: list[dict[str, Any]], name: str = "calls.jsonl") -> Path:
    data = "\n".join(json.dumps(line, ensure_ascii=False) for line in content).encode() + b"\n\n"
    path = folder / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


@everywhere
def test_every_call_and_every_turn_is_served(start: Start, vendor: str, tmp_path: Path) -> None:
    content = lines(30)
    given = jsonl.as_calls(
        jsonl.read(written(tmp_path, content, "calls.jsonl.gz")), vendor, anchor=NOON, days=10
    )
    client = start(vendor, given)
    client.world.page_size[vendor] = 7
    listed = client.listed(7)
    assert len(listed) == len(set(listed)) == 30
    by_name = {made.extras["call_id"]: made.id for made in given}
    turns = 0
    for line in content:
        answer = client.transcript(by_name[line["call_id"]])
        assert client.ready(answer)
        texts = client.texts(answer)
        assert texts == [turn["text"] for turn in line["turns"]]
        turns += len(texts)
    assert turns == 600


@everywhere
def test_ids_are_in_the_vendors_style_and_stay(vendor: str, tmp_path: Path) -> None:
    content = lines(40)
    path = written(tmp_path, content)
    first = jsonl.as_calls(jsonl.read(path), vendor, anchor=NOON)
    style = {
        "gong": r"\d{19}",
        "salesloft": r"\d+",
        "clari_copilot": r"cc-\d+",
        "callminer": r"INT-\d{8}-\d{5}",
        "chorus": r"[0-9a-f]{32}",
    }[vendor]
    assert all(re.fullmatch(style, made.id) for made in first)
    assert len({made.id for made in first}) == 40
    later = jsonl.as_calls(jsonl.read(path), vendor, anchor=NOON + timedelta(days=200), days=3)
    assert [made.id for made in later] == [made.id for made in first]
    longer = jsonl.as_calls(jsonl.read(written(tmp_path, lines(50))), vendor, anchor=NOON)
    assert [made.id for made in longer][:40] == [made.id for made in first]


def test_calls_are_spread_over_the_days_and_have_ended_by_the_anchor(tmp_path: Path) -> None:
    made = jsonl.as_calls(jsonl.read(written(tmp_path, lines(25))), "gong", anchor=NOON, days=5)
    starts = [call.started_at for call in made]
    assert min(starts) >= NOON - timedelta(days=5)
    assert max(call.ended_at for call in made) <= NOON
    assert {late - early for early, late in pairwise(starts)} == {timedelta(days=5) / 25}
    crowded = jsonl.as_calls(
        jsonl.read(written(tmp_path, lines(25))), "gong", anchor=NOON, days=0.01
    )
    assert max(call.ended_at for call in crowded) <= NOON


def test_times_are_left_as_they_stand(start: Start, tmp_path: Path) -> None:
    content = lines(1)
    given = jsonl.as_calls(jsonl.read(written(tmp_path, content)), "salesloft", anchor=NOON)
    client = start("salesloft", given)
    rows = client.transcript(given[0].id).json()["data"]
    spans = [(row["start_time"], row["end_time"]) for row in rows]
    assert spans == [(turn["start"], turn["end"]) for turn in content[0]["turns"]]
    assert spans != sorted(spans)
    assert {row["speaker"] for row in rows} == {"Speaker 0", "Speaker 1", "Speaker 2"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("no json", "line 2 is no call"),
        ('{"call_id": "x"}', "line 2 is no call"),
        ('{"call_id": "x", "turns": [{"text": "secret words"}]}', "line 2 is no call"),
        ("[]", "line 2 is no call"),
        ("same", "line 2 repeats the call_id"),
    ],
)
def test_a_line_that_is_no_call_is_named_and_not_quoted(
    tmp_path: Path, line: str, reason: str
) -> None:
    good = json.dumps(lines(1)[0])
    path = tmp_path / "calls.jsonl"
    path.write_text(f"{good}\n{good if line == 'same' else line}\n")
    with pytest.raises(ValueError, match=reason) as caught:
        jsonl.as_calls(jsonl.read(path), "gong", anchor=NOON)
    assert "secret words" not in str(caught.value)
