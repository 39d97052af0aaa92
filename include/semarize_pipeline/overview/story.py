"""A conversation's whole way, from the listing to the marts, or where it stopped and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from semarize_pipeline.overview.from_warehouse import Row
from semarize_pipeline.state.ledger import ERASED, Entry
from semarize_pipeline.state.runs import OPEN, Run
from semarize_pipeline.vendors.base import Timing

Tone = Literal["good", "waits", "bad", "ended"]


@dataclass(frozen=True, slots=True)
class Step:
    """One station of the way, and what happened there."""

    name: str
    tone: Tone
    text: str
    at: datetime | None = None
    by: str | None = None
    """``dag/run/task``, where a row says which one wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one conversation; ``has_warehouse`` is False where it could not be asked."""

    vendor: str
    conversation_id: str
    entry: Entry | None
    is_remembered: bool = False
    """The entry is the warehouse's mirror: the state database has forgotten a finished one."""
    runs: Sequence[Run] = ()
    has_warehouse: bool = True
    landed: Row | None = None
    landed_runs: Sequence[Row] = ()
    scores: Mapping[str, int] = field(default_factory=dict)
    marts: Mapping[str, int] = field(default_factory=dict)
    quarantine: Sequence[Row] = ()
    account: Row | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSeen:
    """A run of a kit, from the register or, where that has none, from landing."""

    kit_name: str
    kit_version_id: str | None
    run_id: str | None
    status: str
    attempt: int
    submitted_at: datetime | None
    finished_at: datetime | None
    error_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The way of a conversation, its end first."""

    facts: Facts
    tone: Tone
    headline: str
    next: str
    steps: Sequence[Step]
    runs: Sequence[RunSeen]
    replays: bool = False
    """Whether a replay is what to do."""


def tell(facts: Facts, timing: Timing, now: datetime) -> Story:
    """The story of a conversation that is known."""
    runs = _runs(facts)
    tone, headline, what_next, replays = _end(facts, runs, timing, now)
    return Story(
        facts=facts,
        tone=tone,
        headline=headline,
        next=what_next,
        steps=[*_steps(facts, runs)],
        runs=runs,
        replays=replays,
    )


def _runs(facts: Facts) -> list[RunSeen]:
    seen = {
        row["idempotency_key"]: RunSeen(
            kit_name=row["kit_name"],
            kit_version_id=row["kit_version_id"],
            run_id=row["run_id"],
            status=row["status"],
            attempt=row["attempt"],
            submitted_at=row["submitted_at"],
            finished_at=row["finished_at"],
            error_code=row["error_code"],
        )
        for row in facts.landed_runs
    }
    versions = {key: run.kit_version_id for key, run in seen.items()}
    for run in facts.runs:
        seen[run.idempotency_key] = RunSeen(
            kit_name=run.kit_name,
            # Where none was asked for, the answer says which one it was.
            kit_version_id=run.kit_version_id or versions.get(run.idempotency_key),
            run_id=run.run_id,
            status=run.status,
            attempt=run.attempt,
            submitted_at=run.submitted_at,
            finished_at=run.finished_at,
            error_code=run.error_code,
        )
    return sorted(seen.values(), key=lambda run: (run.kit_name, run.attempt, run.run_id or ""))


End = tuple[Tone, str, str, bool]


def _end(facts: Facts, runs: Sequence[RunSeen], timing: Timing, now: datetime) -> End:
    """Where it stands: tone, in one sentence, what happens next, and whether to replay."""
    entry = facts.entry
    if entry is None:
        return _unlisted(facts)
    if entry.reason == ERASED:
        return (
            "ended",
            "It was erased on request.",
            "Nothing. It does not land again; the marts lose its rows with their next build.",
            False,
        )
    if entry.status in ("listed", "pending"):
        return _waits_for_words(entry, timing, now)
    if entry.status == "quarantined":
        return (
            "bad",
            f"It could not be read: {entry.reason or 'no reason was recorded'}.",
            "It stays in the quarantine. Mend the cause, then replay.",
            True,
        )
    ended = {
        "private": (
            "The vendor marks it private, so it is not kept.",
            "Nothing. Should the mark go, the daily reconcile sees it.",
        ),
        "absent": (
            f"There is no transcript: {entry.reason or 'the vendor has none'}.",
            "Nothing more is asked, unless its listing changes; the daily reconcile sees that.",
        ),
        "expired": (
            f"Its transcript never came: {entry.reason or 'it was given up'}.",
            "Nothing more is asked, unless its listing changes; the daily reconcile sees that.",
        ),
        "deleted": (
            f"The vendor no longer has it: {entry.reason or 'deleted'}.",
            "Nothing. What had landed stays, until it is erased.",
        ),
        "replayed": (
            "This is the name of a record without a readable id; it was read since.",
            "Nothing. The conversation is known by its own id now.",
        ),
    }
    if entry.status in ended:
        headline, what_next = ended[entry.status]
        return "ended", headline, what_next, False
    return _landed(facts, entry, runs)


def _waits_for_words(entry: Entry, timing: Timing, now: datetime) -> End:
    if entry.next_try_at is None:
        told = "The hourly run asks for its transcript."
    elif entry.next_try_at <= now:
        told = f"The next hourly run asks again; it is due since {_at(entry.next_try_at)}."
    else:
        told = f"The first hourly run after {_at(entry.next_try_at)} asks again."
    gives_up = (entry.started_at or entry.listed_at) + timing.expiry
    return (
        "waits",
        f"It waits for its transcript, asked for {_times(entry.tries)}: "
        f"{entry.reason or 'nothing was asked yet'}.",
        f"{told} It is given up after {_at(gives_up)}.",
        False,
    )


def _landed(facts: Facts, entry: Entry, runs: Sequence[RunSeen]) -> End:
    if facts.has_warehouse and (facts.landed or {}).get("transcript_status") != "ready":
        return (
            "bad",
            "It is recorded as landed, but the warehouse does not have its words.",
            "Rows were removed from landing. The next reconcile fetches them again, if its window "
            "reaches that day and the vendor still has them. Else they come from a backup.",
            False,
        )
    codes = sorted({run.error_code for run in runs if run.error_code})
    why = f": {', '.join(codes)}" if codes else ""
    if entry.score_status == "failed":
        return (
            "bad",
            f"It landed, and Semarize's runs failed{why}.",
            "No more runs are bought by themselves. Mend the cause, then replay.",
            True,
        )
    if entry.score_status == "refused":
        quarantined = [row["reason"] for row in facts.quarantine if row["stage"] == "score"]
        because = why or (f": {quarantined[-1]}" if quarantined else "")
        return (
            "bad",
            f"It landed, and was refused for scoring{because}.",
            "Raise the limit or mend the cause, then replay.",
            True,
        )
    if entry.score_status == "due":
        if any(run.status in OPEN for run in runs):
            return "waits", "It landed, and a run is under way.", "The hourly run polls it.", False
        after = f" after {_at(entry.score_after)}" if entry.score_after else ""
        return (
            "waits",
            f"It landed, and waits for its score{why}.",
            f"The next hourly run{after} scores it, if the day's cap of runs allows.",
            False,
        )
    if entry.score_status != "scored":
        return (
            "ended",
            "It landed; no kit is asked by the hourly runs.",
            "Nothing. To have it scored, start a rescore with its id.",
            False,
        )
    if not facts.has_warehouse or facts.marts:
        number = len(facts.marts)
        marts = f" and is in {number} mart{'' if number == 1 else 's'}" if number else ""
        return "good", f"It landed, was scored{marts}.", "Nothing: it is complete.", False
    return (
        "waits",
        "It landed and was scored; no mart has it yet.",
        "The next build of scorecards brings it there.",
        False,
    )


def _unlisted(facts: Facts) -> End:
    """Known of the quarantine only, or of nothing but its rows."""
    if facts.quarantine:
        reason = facts.quarantine[-1]["reason"]
        return "bad", f"It could not be read: {reason}.", "Mend the cause, then replay.", True
    return "bad", "The ledger does not know it.", "Start a backfill of its day.", False


# ---------------------------------------------------------------------- the way


def _steps(facts: Facts, runs: Sequence[RunSeen]) -> list[Step]:
    entry = facts.entry
    steps: list[Step] = []
    if entry:
        started = f"it began at {_at(entry.started_at)}" if entry.started_at else "without a start"
        steps.append(Step("Listed", "good", f"By the vendor; {started}.", entry.listed_at))
        steps.append(_fetched(entry))
    steps += [
        Step(
            "Quarantined",
            "good" if row["resolved_at"] else "bad",
            f"{row['stage']}: {row['reason']}"
            + ("" if row["has_raw"] else "; there is no raw record, so a replay cannot read it"),
            row["quarantined_at"],
        )
        for row in facts.quarantine
    ]
    steps += [
        Step("Replayed", "good", "Read again from the quarantine.", row["resolved_at"])
        for row in facts.quarantine
        if row["resolved_at"]
    ]
    if not facts.has_warehouse:
        steps.append(Step("Landed", "waits", "The warehouse could not be asked just now."))
        return steps
    steps.append(_in_landing(facts))
    steps.append(_scored(facts, runs))
    if facts.marts:
        told = ", ".join(f"{name} ({n})" for name, n in facts.marts.items())
        steps.append(Step("In the marts", "good", told))
    else:
        steps.append(Step("In the marts", "ended", "No mart has a row of it."))
    steps.append(_accounted(facts))
    if entry and entry.reason == ERASED:
        steps.append(Step("Erased", "ended", "On request; landing.erasures has the record."))
    return steps


def _fetched(entry: Entry) -> Step:
    asked = f"Asked for {_times(entry.tries)}"
    if entry.status in ("listed", "pending"):
        text = f"{asked}; {entry.reason or 'no answer yet'}; next try {_at(entry.next_try_at)}."
        return Step("Transcript", "waits", text)
    if entry.status == "landed":
        return Step("Transcript", "good", f"{asked}, and there.", entry.landed_at)
    return Step("Transcript", "ended", f"{asked}; {entry.reason or entry.status}.")


def _in_landing(facts: Facts) -> Step:
    row = facts.landed
    if row is None:
        return Step("Landed", "ended", "landing has no row of it.")
    status = row["transcript_status"]
    words = "with its words" if status == "ready" else f"without words ({status})"
    return Step(
        "Landed",
        "good" if status == "ready" else "waits",
        f"In landing.{facts.vendor}__conversations, {words}.",
        row["_extracted_at"],
        row["_loaded_by"],
    )


def _scored(facts: Facts, runs: Sequence[RunSeen]) -> Step:
    if not runs:
        return Step("Scored", "ended", "Semarize has been asked for no run of it.")
    good = sum(run.status == "succeeded" for run in runs)
    rows = ", ".join(f"scores__{kit} ({n})" for kit, n in facts.scores.items()) or "no scores"
    tone: Tone = "good" if good else "waits" if any(r.status in OPEN for r in runs) else "bad"
    last = max((run.finished_at for run in runs if run.finished_at), default=None)
    return Step("Scored", tone, f"{good} of {len(runs)} runs succeeded; {rows}.", last)


def _accounted(facts: Facts) -> Step:
    row = facts.account
    if row is None:
        return Step("In the account", "ended", "No account was made of its day yet.")
    wrong = int(row["unaccounted"])
    return Step(
        "In the account",
        "waits" if wrong else "good",
        f"Its day: {row['listed']} listed, "
        + (f"{wrong} of them unaccounted for." if wrong else "all accounted for."),
        row["reconciled_at"],
    )


def _times(count: int) -> str:
    return "once" if count == 1 else "never" if count == 0 else f"{count} times"


def _at(moment: datetime | None) -> str:
    return "with the next hourly run" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"
