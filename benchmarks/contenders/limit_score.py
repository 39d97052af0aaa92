"""The limit of scoring: every landed transcript posted once, 64 at a time, answers read."""

from __future__ import annotations

import told

job = told.job()

import asyncio  # noqa: E402

import aiohttp  # noqa: E402
import duckdb  # noqa: E402
import orjson  # noqa: E402
import uvloop  # noqa: E402

told.phase("import")
AT_ONCE = 64


async def score(base: str, transcripts: list[tuple[str, str]]) -> int:
    connector = aiohttp.TCPConnector(limit=AT_ONCE)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def one(id_: str, text: str) -> bool:
            asked = {"kit_code": "C5A1E07B", "mode": "sync", "input": {"transcript": text}}
            headers = {"Idempotency-Key": id_}
            data = orjson.dumps(asked)
            async with session.post(f"{base}/v1/runs", data=data, headers=headers) as answer:
                return bool(orjson.loads(await answer.read())["status"] == "succeeded")

        return sum(await asyncio.gather(*(one(*each) for each in transcripts)))


file = duckdb.connect(f"{job['folder']}/warehouse.duckdb", read_only=True)
found = file.execute(
    f"select conversation_id, transcript from landing.{job['shape']}__conversations"
).fetchall()
file.close()
told.phase("open")
scored = uvloop.run(score(job["base_url"], found))
told.phase("score")
told.done(scored=scored)
