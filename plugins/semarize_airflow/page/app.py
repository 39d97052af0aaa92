"""The page's addresses: each looks at what is there, and shows it."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

from airflow.api_fastapi.app import get_auth_manager
from fastapi import Depends, FastAPI, Form, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as StarletteHTTPException

from semarize_airflow.page import airflow_side, showing
from semarize_airflow.page.access import VisitorDep, opened, sealed, visitor
from semarize_airflow.page.looking import (
    BEHIND,
    LISTS,
    conversation,
    days,
    overview,
    read_settings_or_say,
    sources,
)
from semarize_airflow.page.sources import Busy
from semarize_pipeline import vendors
from semarize_pipeline.errors import PipelineError
from semarize_pipeline.overview import from_state, from_warehouse

HERE = Path(__file__).parent
LONGEST_ID = 300
DAYS_SHOWN = 14
MOST_DAYS = 90
REPLAYS = ("quarantined", "failed", "both")
HEADERS = {
    # What is on it belongs to customers: no proxy and no browser keeps it.
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
}

app = FastAPI(
    title="Conversations",
    openapi_url=None,
    docs_url=None,
    redoc_url=None,
    # Of every address that is ever added, whether or not it asks who looks.
    dependencies=[Depends(visitor)],
)
# Style and script only: no data, so no login.
app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")


@app.middleware("http")
async def guarded(request: Request, further: Callable[[Request], Awaitable[Response]]) -> Response:
    """Every answer with the headers, whatever it is."""
    answer = await further(request)
    for name, value in HEADERS.items():
        answer.headers[name] = value
    if "/static/" in request.url.path:
        answer.headers["Cache-Control"] = "no-cache"
    return answer


@app.exception_handler(StarletteHTTPException)
async def refused(request: Request, problem: StarletteHTTPException) -> Response:
    """Nobody is sent to the login; whatever else is refused is said in a page."""
    if problem.status_code == 401:
        if request.method != "GET":
            return HTMLResponse("Log in to Airflow first.", 401)
        query = f"?{request.url.query}" if request.url.query else ""
        back = f"{request.url.path}{query}"
        return RedirectResponse(get_auth_manager().get_url_login(next_url=back), 307)
    told = {"problem": problem.detail, "status": problem.status_code}
    return showing.page(request, "problem.html", told, problem.status_code)


@app.exception_handler(PipelineError)
async def unreachable(request: Request, problem: PipelineError) -> Response:
    """The state database is what every page needs; the message names its connection."""
    return showing.page(request, "problem.html", {"problem": str(problem), "status": 503}, 503)


@app.get("/")
def first(request: Request, who: VisitorDep) -> Response:
    """What is wrong, then each vendor."""
    return showing.page(request, "overview.html", {**overview(who, _now()), "who": who})


@app.get("/missing")
def missing(
    request: Request, who: VisitorDep, vendor: str | None = None, shown: int = DAYS_SHOWN
) -> Response:
    """By day: what became of every conversation, and what is missing."""
    chosen = _vendor(who, vendor) if vendor else None
    found = days(who, chosen, _now(), min(max(shown, 1), MOST_DAYS))
    return showing.page(
        request, "missing.html", {**found, "who": who, "vendor": chosen, "shown": shown}
    )


@app.get("/list")
def listed(
    request: Request,
    who: VisitorDep,
    vendor: str,
    what: str,
    day: date | None = None,
    reason: str | None = None,
) -> Response:
    """The conversations behind a number."""
    vendor = _vendor(who, vendor)
    if what not in (BEHIND if day else LISTS):
        raise HTTPException(404, "There is no such list.")
    asked = {"vendor": vendor, "what": what, "day": day, "reason": reason, "now": _now()}
    if day:
        found = _of_day(vendor, what, day)
    elif what == "quarantine":
        found = _in_quarantine(vendor, reason)
    else:
        total, entries = from_state.entries(sources.state(), vendor, what, reason)
        rows = [
            {
                "conversation_id": entry.conversation_id,
                "status": entry.status,
                "score": entry.score_status,
                "reason": entry.reason,
                "at": entry.started_at or entry.listed_at,
                "tries": entry.tries,
                "next_try_at": entry.score_after if what == "score" else entry.next_try_at,
            }
            for entry in entries
        ]
        found = {"rows": rows, "total": total, "problem": None}
    return showing.page(request, "list.html", {**asked, **found, "who": who})


def _of_day(vendor: str, what: str, day: date) -> dict[str, Any]:
    """From the warehouse, each with what the ledger says this second."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    try:
        rows = from_warehouse.Warehouse(sources.asking()).conversations_of(vendor, start, what)
    except Busy as busy:
        return {"rows": [], "total": 0, "problem": str(busy)}
    shown = rows[: from_warehouse.SHOWN]
    now = sources.state().ledger.find(vendor, [row["conversation_id"] for row in shown])
    made = []
    for row in shown:
        entry = now.get(row["conversation_id"])
        made.append(
            {
                "conversation_id": row["conversation_id"],
                "status": entry.status if entry else row["status"],
                "score": entry.score_status if entry else row["score_status"],
                "reason": entry.reason if entry else row["reason"],
                "at": row["happened_at"],
                "tries": entry.tries if entry else row["tries"],
                "next_try_at": entry.next_try_at if entry else row["next_try_at"],
            }
        )
    return {"rows": made, "total": len(rows), "problem": None}


def _in_quarantine(vendor: str, reason: str | None) -> dict[str, Any]:
    try:
        rows = from_warehouse.Warehouse(sources.asking()).quarantined(vendor, reason)
    except Busy as busy:
        return {"rows": [], "total": 0, "problem": str(busy)}
    made = [
        {
            "conversation_id": row["conversation_id"],
            "status": f"quarantined ({row['stage']})",
            "score": None,
            "reason": row["reason"],
            "at": row["quarantined_at"],
            "tries": None,
            "next_try_at": None,
        }
        for row in rows
    ]
    return {"rows": made, "total": len(rows), "problem": None}


@app.get("/conversation")
def where(request: Request, who: VisitorDep, id: str = "", vendor: str | None = None) -> Response:
    """Where a conversation is, and why it is not further."""
    id_ = id.strip()[:LONGEST_ID]
    chosen = _vendor(who, vendor) if vendor else None
    prefix, _, rest = id_.partition(":")
    if chosen is None and rest and prefix in who.vendors:
        # As the marts name it: conversation_key.
        chosen, id_ = prefix, rest
    found = conversation(who, chosen, id_, _now()) if id_ else {"stories": []}
    dashboards = os.environ.get("SEMARIZE_DASHBOARDS_URL", "")
    told = {
        **found,
        "id": id_,
        "vendor": chosen,
        "who": who,
        "now": _now(),
        "dashboards": dashboards.rstrip("/") if dashboards.startswith("http") else None,
    }
    return showing.page(request, "conversation.html", told)


@app.get("/replay")
def ask_replay(
    request: Request, who: VisitorDep, vendor: str, what: str = "both", reason: str = ""
) -> Response:
    """What a replay would do, with the button that starts it."""
    conf = _replay_conf(_vendor(who, vendor), what, reason)
    settings, _ = read_settings_or_say()
    state = sources.state()
    wrong = [
        each
        for each in from_state.wrong_runs(state, [vendor])
        if what != "quarantined" and reason.lower() in each.reason.lower()
    ]
    records: int | None = None
    if what != "failed":
        try:
            kept = from_warehouse.Warehouse(sources.asking()).quarantine([vendor])
            records = sum(
                int(row["n"])
                for row in kept
                if row["stage"] != "score" and reason.lower() in row["reason"].lower()
            )
        except Busy:
            records = None
    runs = sum(each.count for each in wrong)
    price = settings.score.price_per_run
    told = {
        "who": who,
        "conf": conf,
        "records": records,
        "runs": runs,
        "cost": None if price is None else f"{runs * price:,.2f} {settings.score.currency}".strip(),
        "may": who.may_trigger("replay"),
        "token": sealed(who, conf),
        "dag": airflow_side.dags(["replay"]).get("replay"),
    }
    return showing.page(request, "replay.html", told)


@app.post("/replay")
def start_replay(
    request: Request,
    who: VisitorDep,
    token: Annotated[str, Form()],
    only_plan: Annotated[bool, Form()] = False,
) -> Response:
    """Start the DAG ``replay`` with what the form was made for, by who may trigger it."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise HTTPException(403, "This form came from another site.")
    if not who.may_trigger("replay"):
        raise HTTPException(403, "Your role may look at this page, and not start the DAG replay.")
    name, conf = opened(who, token)
    _vendor(who, conf["vendor"])
    if only_plan:
        name, conf = f"{name}_plan", {**conf, "dry_run": True}
    run_id, _ = airflow_side.trigger("replay", conf, name, who.user, request)
    return RedirectResponse(
        f"{request.scope['root_path']}/started?{urlencode({'run': run_id})}", 303
    )


@app.get("/started")
def started(request: Request, who: VisitorDep, run: str) -> Response:
    """The replay that was started, and how it is."""
    dag = airflow_side.dags(["replay"]).get("replay") if "replay" in who.dags else None
    found = next((each for each in dag.runs if each.run_id == run), None) if dag else None
    told = {"who": who, "run": found, "run_id": run, "dag": dag}
    return showing.page(request, "started.html", told)


def _replay_conf(vendor: str, what: str, reason: str) -> dict[str, Any]:
    """The form of the DAG ``replay``, filled in."""
    if what not in REPLAYS:
        raise HTTPException(404, "A replay is of quarantined, failed or both.")
    return {"vendor": vendor, "what": what, "reason": reason or None, "dry_run": False}


def _vendor(who: VisitorDep, name: str) -> str:
    if name not in who.vendors:
        known = ", ".join(who.vendors)
        raise HTTPException(404, f"There is no such vendor for you here; there are {known}.")
    return vendors.get(name).name


def _now() -> datetime:
    return datetime.now(UTC)
