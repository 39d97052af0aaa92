"""What is mutated: records and answers as the sandbox serves them, through the real clients."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from bench import DEALS, NOW, QUALITY, bench

from semarize_pipeline import connect
from semarize_pipeline.model import Window
from semarize_pipeline.vendors.base import Wanted
from semarize_sandbox.company import generate

# Long enough for every shape, short enough for thousands of copies.
MOST_ROWS = 8
PER_SHAPE = 6
# The shapes in which a stand-in can serve one and the same call.
SHAPES: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "gong": ({"shape": "metaData"}, {"shape": "flat"}),
    "salesloft": ({"ids": "integer"}, {"ids": "uuid", "full_text_only_every": 1}),
    "clari_copilot": ({}, {"envelope": "calls"}),
    "callminer": ({"paging": "token"}, {"paging": "offset"}),
    "chorus": ({}, {"dates": "epoch", "timestamps": "clock", "others_every": 2}),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A listing's record, and its transcript as the vendor's answer holds it."""

    record: Any
    transcript: Any


@cache
def of_vendor(name: str) -> tuple[Sample, ...]:
    """Some records of a vendor in every shape that its stand-in knows."""
    calls = generate(until=NOW, days=20, vendors=[name])[:60]
    found: list[Sample] = []
    with tempfile.TemporaryDirectory() as folder, bench(name, Path(folder), calls) as made:
        for shape in SHAPES[name]:
            made.world.switch(name, **shape)
            api, vendor = made.api(), made.vendor
            ask = vendor.window(Window(NOW - timedelta(days=30), NOW))
            pages = api.pages(vendor.listing, ask)
            records = list(itertools.chain.from_iterable(pages))
            by_id = {vendor.read(r).conversation_id: r for r in records if not vendor.keeps_out(r)}
            wanted = [Wanted(id_, record) for id_, record in by_id.items()][-4 * PER_SHAPE :]
            spoken = {
                id_: got.transcript
                for id_, got in vendor.transcripts.fetch(api, wanted)
                if got.transcript is not None
            }
            ready = [Sample(by_id[id_], spoken[id_]) for id_ in spoken][:PER_SHAPE]
            kept_out = [Sample(r, None) for r in records if vendor.keeps_out(r)][:2]
            found += [*ready, *kept_out]
    assert len(found) >= PER_SHAPE, f"the guard: the sandbox serves records of {name}"
    return tuple(Sample(_short(each.record), _short(each.transcript)) for each in found)


@cache
def of_semarize() -> tuple[tuple[Any, Any], ...]:
    """Schemas, each with a run's answer, as Semarize's stand-in gives them."""
    found: list[tuple[Any, Any]] = []
    with tempfile.TemporaryDirectory() as folder, bench("gong", Path(folder)) as made:
        client = connect.semarize_client(
            made.credentials("semarize"), made.state, made.settings.score
        )
        api = client._api
        for kit in (QUALITY, DEALS):
            for shape in ("flat", "kit", "map"):
                made.world.switch("semarize", schema_shape=shape)
                asked = {"kit_code": kit.code}
                schema = api.send("GET", f"/v1/kits/schema?kit_code={kit.code}").data
                words = "Dana: We sign on Monday.\nKim: The budget is approved."
                run = client.submit(f"sample {kit.code}", asked, words, "async")
                answer = api.send("GET", f"/v1/runs/{run.run_id}").data
                found.append((schema, answer))
    assert all(answer.get("output") for _, answer in found), "the guard: runs have ended"
    return tuple(found)


def _short(value: Any) -> Any:
    """The same with few rows in each array, as a copy of its own."""
    if isinstance(value, Mapping):
        return {key: _short(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_short(each) for each in value[:MOST_ROWS]]
    return orjson.loads(orjson.dumps(value))
