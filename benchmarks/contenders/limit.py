"""The limit: a bare client and one bulk load. No retries, no pace, no state, no checks.

It fetches everything, holds it in memory and loads it in one transaction with one MERGE a
table. ``LIMIT_HTTP`` chooses the client for a request per conversation: aiohttp, or requests
with threads.
"""

from __future__ import annotations

import told

job = told.job()

import asyncio  # noqa: E402
import os  # noqa: E402
from collections.abc import Iterable  # noqa: E402
from datetime import UTC, datetime, timedelta  # noqa: E402
from typing import Any  # noqa: E402

import duckdb  # noqa: E402
import orjson  # noqa: E402
import pyarrow as pa  # noqa: E402

HTTP = os.environ.get("LIMIT_HTTP", "aiohttp")
if HTTP == "aiohttp":
    import aiohttp
    import uvloop
else:
    from concurrent.futures import ThreadPoolExecutor

    import requests

told.phase("import")

AT_ONCE = 32
LOOKBACK = timedelta(days=2)
CONVERSATIONS = pa.schema(
    [("id", pa.string()), ("started_at", pa.timestamp("us", tz="UTC")), ("title", pa.string()),
     ("owner", pa.string()), ("duration", pa.float64())]
)  # fmt: skip
UTTERANCES = pa.schema(
    [("id", pa.string()), ("seq", pa.int64()), ("speaker", pa.string()), ("start_ms", pa.int64()),
     ("end_ms", pa.int64()), ("text", pa.string())]
)  # fmt: skip

heads: list[tuple[Any, ...]] = []
ids: list[str] = []
seqs: list[int] = []
speakers: list[str] = []
starts: list[int] = []
ends: list[int] = []
texts: list[str] = []


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def take_gong(calls: Iterable[dict[str, Any]], spoken: Iterable[dict[str, Any]]) -> None:
    for call in calls:
        meta = call["metaData"]
        heads.append(
            (meta["id"], moment(meta["started"]), meta["title"], meta["primaryUserId"],
             float(meta["duration"]))
        )  # fmt: skip
    for each in spoken:
        seq = 0
        for monologue in each["transcript"]:
            for sentence in monologue["sentences"]:
                ids.append(each["callId"])
                seqs.append(seq)
                speakers.append(monologue["speakerId"])
                starts.append(sentence["start"])
                ends.append(sentence["end"])
                texts.append(sentence["text"])
                seq += 1


def take_salesloft(record: dict[str, Any], sentences: list[dict[str, Any]]) -> None:
    id_ = str(record["id"])
    heads.append(
        (id_, moment(record["created_at"]), record["title"], record["owner"]["name"],
         float(record["duration"]))
    )  # fmt: skip
    for seq, sentence in enumerate(sentences):
        ids.append(id_)
        seqs.append(seq)
        speakers.append(sentence["speaker"])
        starts.append(round(sentence["start_time"] * 1000))
        ends.append(round(sentence["end_time"] * 1000))
        texts.append(sentence["text"])


def z(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


async def gong(base: str, since: datetime, until: datetime, known: set[str]) -> None:
    span = {"fromDateTime": z(since), "toDateTime": z(until)}

    async def transcripts(calls: list[dict[str, Any]]) -> None:
        wanted = [call["metaData"]["id"] for call in calls]
        body = orjson.dumps({"filter": {"callIds": wanted}})
        async with session.post(f"{base}/v2/calls/transcript", data=body) as answer:
            take_gong(calls, orjson.loads(await answer.read())["callTranscripts"])

    connector = aiohttp.TCPConnector(limit=AT_ONCE)
    async with aiohttp.ClientSession(connector=connector) as session:
        under_way = []
        cursor: str | None = ""
        while cursor is not None:
            asked: dict[str, Any] = {"filter": span}
            if cursor:
                asked["cursor"] = cursor
            data = orjson.dumps(asked)
            async with session.post(f"{base}/v2/calls/extensive", data=data) as answer:
                page = orjson.loads(await answer.read())
            new = [c for c in page.get("calls", ()) if c["metaData"]["id"] not in known]
            if new:
                under_way.append(asyncio.create_task(transcripts(new)))
            cursor = page.get("records", {}).get("cursor")
        await asyncio.gather(*under_way)


def query(since: datetime, until: datetime, page: int) -> dict[str, str]:
    return {"per_page": "100", "page": str(page), "created_at[gte]": z(since),
            "created_at[lt]": z(until)}  # fmt: skip


async def salesloft(base: str, since: datetime, until: datetime, known: set[str]) -> None:
    async def sentences(record: dict[str, Any]) -> None:
        url = f"{base}/v2/conversations/{record['id']}/transcription/sentences"
        async with details.get(url) as answer:
            take_salesloft(record, orjson.loads(await answer.read())["data"])

    connector = aiohttp.TCPConnector(limit=AT_ONCE)
    # Listing has a connection of its own: it would wait behind the requests for sentences.
    async with (
        aiohttp.ClientSession() as listing,
        aiohttp.ClientSession(connector=connector) as details,
    ):
        under_way = []
        number: int | None = 1
        while number is not None:
            asked = query(since, until, number)
            async with listing.get(f"{base}/v2/conversations", params=asked) as answer:
                page = orjson.loads(await answer.read())
            new = [r for r in page["data"] if str(r["id"]) not in known]
            under_way += [asyncio.create_task(sentences(record)) for record in new]
            number = page["metadata"]["paging"]["next_page"]
        await asyncio.gather(*under_way)


def salesloft_by_threads(base: str, since: datetime, until: datetime, known: set[str]) -> None:
    details = requests.Session()
    details.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=AT_ONCE))

    def sentences(record: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        url = f"{base}/v2/conversations/{record['id']}/transcription/sentences"
        return record, orjson.loads(details.get(url, timeout=60).content)["data"]

    with ThreadPoolExecutor(AT_ONCE) as pool, requests.Session() as listing:
        under_way = []
        number: int | None = 1
        while number is not None:
            asked = query(since, until, number)
            answer = listing.get(f"{base}/v2/conversations", params=asked, timeout=60)
            page = orjson.loads(answer.content)
            new = [r for r in page["data"] if str(r["id"]) not in known]
            under_way += [pool.submit(sentences, record) for record in new]
            number = page["metadata"]["paging"]["next_page"]
        for each in under_way:
            take_salesloft(*each.result())


def load(connection: duckdb.DuckDBPyConnection) -> None:
    columns = list(zip(*heads, strict=True)) or [[]] * len(CONVERSATIONS.names)
    tables = {
        "conversations": pa.table([list(c) for c in columns], schema=CONVERSATIONS),
        "utterances": pa.table([ids, seqs, speakers, starts, ends, texts], schema=UTTERANCES),
    }
    connection.execute("begin")
    for name, incoming in tables.items():
        connection.register("incoming", incoming)
        on = "t.id = incoming.id" + (" and t.seq = incoming.seq" if name == "utterances" else "")
        connection.execute(
            f"merge into {name} t using incoming on {on} "
            "when matched then update when not matched then insert"
        )
        connection.unregister("incoming")
    connection.execute("commit")


def main() -> None:
    base, until = job["base_url"], datetime.fromisoformat(job["until"])
    connection = duckdb.connect(f"{job['folder']}/limit.duckdb")
    connection.execute("set timezone = 'UTC'")
    connection.execute(
        "create table if not exists conversations (id varchar, started_at timestamptz, "
        "title varchar, owner varchar, duration double)"
    )
    connection.execute(
        "create table if not exists utterances (id varchar, seq bigint, speaker varchar, "
        "start_ms bigint, end_ms bigint, text varchar)"
    )
    last = connection.execute("select max(started_at) from conversations").fetchone()[0]
    since = last - LOOKBACK if last else datetime.fromisoformat(job["start"])
    known = {
        row[0]
        for row in connection.execute(
            "select id from conversations where started_at >= ?", [since]
        ).fetchall()
    }
    told.phase("open")
    if HTTP == "requests":
        salesloft_by_threads(base, since, until, known)
    else:
        uvloop.run((gong if job["shape"] == "gong" else salesloft)(base, since, until, known))
    told.phase("fetch")
    if heads:
        load(connection)
    told.phase("load")
    connection.close()
    told.phase("close")


main()
told.done()
