"""dlt, tuned: Arrow tables by the page, parquet loader files, orjson, merge, incremental state.

What is idiomatic is kept: a resource for the listing, a transformer for what hangs on it, the
cursor kept by dlt. The cursor is a moment, not text: as text, ``…00.000Z`` sorts before
``…00Z``, and dlt would drop the earlier one without a word.
"""

from __future__ import annotations

import told

job = told.job()

import os  # noqa: E402

os.environ.update(
    RUNTIME__DLTHUB_TELEMETRY="false",
    RUNTIME__LOG_LEVEL="ERROR",
    NORMALIZE__WORKERS="2",
    EXTRACT__WORKERS="32" if job["shape"] == "salesloft" else "4",
    LOAD__WORKERS="2",
    DATA_WRITER__DISABLE_COMPRESSION="true",
)

from collections.abc import Iterator  # noqa: E402
from concurrent.futures import ThreadPoolExecutor  # noqa: E402
from datetime import UTC, datetime  # noqa: E402
from typing import Any  # noqa: E402

import dlt  # noqa: E402
import orjson  # noqa: E402
import pyarrow as pa  # noqa: E402
import requests  # noqa: E402

told.phase("import")
BASE, AT_ONCE = job["base_url"], 32
SESSION = requests.Session()
SESSION.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=AT_ONCE))


def z(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def post(path: str, asked: dict[str, Any]) -> Any:
    answer = SESSION.post(BASE + path, data=orjson.dumps(asked), timeout=60)
    return orjson.loads(answer.content)


def get(path: str, params: dict[str, str] | None = None) -> Any:
    return orjson.loads(SESSION.get(BASE + path, params=params, timeout=60).content)


def listed(since: datetime, until: datetime) -> Iterator[list[tuple[Any, ...]]]:
    """Pages of id, start, title, owner, duration."""
    if job["shape"] == "gong":
        asked: dict[str, Any] = {"filter": {"fromDateTime": z(since), "toDateTime": z(until)}}
        while True:
            page = post("/v2/calls/extensive", asked)
            metas = [call["metaData"] for call in page.get("calls", ())]
            yield [
                (m["id"], datetime.fromisoformat(m["started"]), m["title"], m["primaryUserId"],
                 float(m["duration"]))
                for m in metas
            ]  # fmt: skip
            cursor = page.get("records", {}).get("cursor")
            if not cursor:
                return
            asked["cursor"] = cursor
    number: int | None = 1
    while number is not None:
        page = get(
            "/v2/conversations",
            {"per_page": "100", "page": str(number), "created_at[gte]": z(since),
             "created_at[lt]": z(until)},
        )  # fmt: skip
        yield [
            (str(r["id"]), datetime.fromisoformat(r["created_at"]), r["title"],
             r["owner"]["name"], float(r["duration"]))
            for r in page["data"]
        ]  # fmt: skip
        number = page["metadata"]["paging"]["next_page"]


def spoken(ids: list[str]) -> list[tuple[Any, ...]]:
    """Rows of id, position, speaker, start, end, text."""
    rows: list[tuple[Any, ...]] = []
    if job["shape"] == "gong":
        answer = post("/v2/calls/transcript", {"filter": {"callIds": ids}})
        for each in answer["callTranscripts"]:
            seq = 0
            for monologue in each["transcript"]:
                for s in monologue["sentences"]:
                    rows.append((each["callId"], seq, monologue["speakerId"], s["start"],
                                 s["end"], s["text"]))  # fmt: skip
                    seq += 1
        return rows
    paths = [f"/v2/conversations/{id_}/transcription/sentences" for id_ in ids]
    for id_, answer in zip(ids, POOL.map(get, paths), strict=True):
        rows += [
            (id_, seq, s["speaker"], round(s["start_time"] * 1000), round(s["end_time"] * 1000),
             s["text"])
            for seq, s in enumerate(answer["data"])
        ]  # fmt: skip
    return rows


POOL = ThreadPoolExecutor(AT_ONCE)
HEADS = pa.schema(
    [("id", pa.string()), ("started_at", pa.timestamp("us", tz="UTC")), ("title", pa.string()),
     ("owner", pa.string()), ("duration", pa.float64())]
)  # fmt: skip
LINES = pa.schema(
    [("id", pa.string()), ("seq", pa.int64()), ("speaker", pa.string()), ("start_ms", pa.int64()),
     ("end_ms", pa.int64()), ("text", pa.string())]
)  # fmt: skip


def table(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    return pa.table([list(column) for column in zip(*rows, strict=True)], schema=schema)


MERGE = {"disposition": "merge", "strategy": "delete-insert", "deduplicated": True}


START = datetime.fromisoformat(job["start"])


@dlt.resource(name="conversations", primary_key="id", write_disposition=MERGE)
def conversations(
    cursor: Any = dlt.sources.incremental("started_at", initial_value=START),  # noqa: B008
) -> Iterator[pa.Table]:
    for page in listed(cursor.last_value, datetime.fromisoformat(job["until"])):
        if page:
            yield table(page, HEADS)


@dlt.transformer(
    data_from=conversations,
    name="utterances",
    primary_key=("id", "seq"),
    write_disposition=MERGE,
)
def utterances(page: pa.Table) -> Iterator[pa.Table]:
    ids = page.column("id").to_pylist()
    if ids:
        yield table(spoken(ids), LINES)


@dlt.source(name="vendor")
def vendor() -> Any:
    return conversations, utterances


def main() -> None:
    pipeline = dlt.pipeline(
        pipeline_name="calls",
        pipelines_dir=f"{job['folder']}/dlt",
        destination=dlt.destinations.duckdb(f"{job['folder']}/dlt.duckdb"),
        dataset_name="calls",
    )
    pipeline.run(vendor(), loader_file_format="parquet")
    told.phase("run")
    POOL.shutdown()


if __name__ == "__main__":
    main()
    told.done()
