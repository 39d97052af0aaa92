"""Erasure: a conversation, or every conversation of a person, leaves landing and stays away.

The order makes it safe to be killed and run again: what is asked is noted, then the ledger says
"erased", so that nothing lands again, then all rows go in one transaction, then it is noted that
they are gone. The marts follow with the next dbt build.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import orjson

from semarize_pipeline import landing, vendors
from semarize_pipeline.errors import Misconfigured, Unreadable
from semarize_pipeline.model import digest
from semarize_pipeline.state import State
from semarize_pipeline.warehouse import tables
from semarize_pipeline.warehouse.port import Load, Removal, Session, Warehouse

CHUNK = 500
SHOWN = 50
# What a paid run keeps: that it was, when and of which kit. What it was bought for goes.
OF_A_RUN = ("response", "error_message")

# By vendor: the ids, and when each conversation began.
Targets = Mapping[str, Mapping[str, datetime | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to erase: conversations of a vendor, or a person's, by address or a vendor's user id.

    A person's conversations are those in which they took part, or which are theirs as the owner.
    """

    vendor: str | None = None
    conversation_ids: tuple[str, ...] = ()
    email: str | None = None
    user_id: str | None = None

    def __post_init__(self) -> None:
        ways = [bool(self.conversation_ids), bool(self.email), bool(self.user_id)]
        if sum(ways) != 1:
            raise Misconfigured("say what to erase in one way: conversation_ids, email, or user_id")
        if self.vendor is not None and self.vendor not in vendors.names():
            raise Misconfigured(
                f"there is no vendor {self.vendor!r}; there are {', '.join(vendors.names())}"
            )
        if not self.email and self.vendor is None:
            raise Misconfigured("conversation_ids and user_id need the vendor that gave them")
        if self.email and "@" not in self.email:
            raise Misconfigured("email is no address; give a vendor's own id as user_id")

    @property
    def subject(self) -> str:
        """The request as a text, the same for the same request: only its hash is kept."""
        if self.email:
            return f"email:{_folded(self.email)}:{self.vendor or '*'}"
        if self.user_id:
            return f"user:{self.vendor}:{self.user_id}"
        return f"conversations:{self.vendor}:{','.join(sorted(self.conversation_ids))}"


@dataclass(slots=True)
class ErasureReport:
    """What an erasure did, or would do. References and counts: it travels through XCom."""

    dry_run: bool
    erasure_id: str | None = None
    conversations: int = 0
    removed: dict[str, int] = field(default_factory=dict)
    """Rows by table; of ``semarize__runs`` those whose answer was blanked."""
    found: list[str] = field(default_factory=list)
    """The first of the conversations, as ``vendor:id``."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def erase(
    request: Request,
    warehouse: Warehouse,
    state: State,
    *,
    requested_by: str,
    run: str,
    dry_run: bool = True,
) -> ErasureReport:
    """Erase what is asked for, or say what would go.

    :param requested_by: what the record shows, such as a ticket's number: no personal data.
    """
    if not requested_by.strip():
        raise Misconfigured("say who asked for it: requested_by, such as the number of a ticket")
    subject_hash = state.tokens.fingerprint(request.subject)
    with warehouse.open(f"{run}: erase") as session:
        session.ensure([t for v in vendors.names() for t in landing.vendor_tables(v)])
        targets = _find(request, session, state)
        removals = _removals(targets, _kits(session), landing.stamp(state.clock(), run))
        counted = _counted(removals, session.remove(removals, dry_run=True))
        report = ErasureReport(
            dry_run,
            conversations=sum(map(len, targets.values())),
            removed=counted,
            found=[f"{v}:{id_}" for v, ids in targets.items() for id_ in sorted(ids)][:SHOWN],
        )
        if not dry_run:
            _carry_out(report, targets, removals, subject_hash, requested_by, session, state, run)
    return report


def sweep(warehouse: Warehouse, state: State, *, run: str) -> dict[str, int]:
    """Remove what landed again of erased conversations: by a task that was under way, a backup.

    Returns the rows by table; opens no warehouse while nothing was ever erased.
    """
    erased = {v: dict.fromkeys(state.ledger.erased(v)) for v in vendors.names()}
    targets: Targets = {v: ids for v, ids in erased.items() if ids}
    if not targets:
        return {}
    with warehouse.open(f"{run}: look for what was erased") as session:
        session.ensure([t for v in targets for t in landing.vendor_tables(v)])
        removals = _removals(targets, _kits(session), landing.stamp(state.clock(), run))
        return _counted(removals, session.remove(removals))


def _carry_out(
    report: ErasureReport,
    targets: Targets,
    removals: Sequence[Removal],
    subject_hash: str,
    requested_by: str,
    session: Session,
    state: State,
    run: str,
) -> None:
    mark = landing.stamp(state.clock(), run)
    # The same task again is the same erasure, whether it was killed before its end or after.
    erasure_id = digest([subject_hash, run])[:32]
    begun = session.query(
        f"select erasure_id, conversations, removed, started_at from {tables.ERASURES.qualified} "
        "where subject_hash = ? and (status = 'begun' or erasure_id = ?)",
        [subject_hash, erasure_id],
    )
    row: dict[str, Any] = {
        "erasure_id": erasure_id,
        "subject_hash": subject_hash,
        "requested_by": requested_by,
        "status": "begun",
        "conversations": report.conversations,
        "removed": report.removed,
        "started_at": state.clock(),
        **mark,
    }
    if begun:
        # Killed before it was through: this goes on with it. Where its rows are gone, its own
        # counts say what they were.
        row["erasure_id"], row["started_at"] = begun[0]["erasure_id"], begun[0]["started_at"]
        if not any(report.removed.values()):
            row["conversations"] = begun[0]["conversations"]
            row["removed"] = begun[0]["removed"]
    session.land([Load(tables.ERASURES, [row])])
    for vendor, started in targets.items():
        state.ledger.erase(vendor, started)
    # Before the rows go: whatever is lost from here on, the stones or the rows are there.
    for vendor in vendors.names():
        landing.mirror(session, state, vendor, mark)
    session.remove(removals)
    session.land(
        [Load(tables.ERASURES, [{**row, "status": "finished", "finished_at": state.clock()}])]
    )
    report.erasure_id = row["erasure_id"]
    report.conversations, report.removed = row["conversations"], row["removed"]


# ---------------------------------------------------------------------- what there is


def _removals(
    targets: Targets, kits: Sequence[tables.Table], stamp: landing.Stamp
) -> list[Removal]:
    """Everything that landing holds of these conversations."""
    made: list[Removal] = []
    for vendor, started in targets.items():
        ids = sorted(started)
        for at in range(0, len(ids), CHUNK):
            part = ids[at : at + CHUNK]
            own = (tables.conversations(vendor), tables.utterances(vendor))
            made += [Removal(table, "conversation_id", part) for table in own]
            shared = (tables.SIGNALS, *kits, tables.QUARANTINE)
            made += [Removal(table, "conversation_id", part, vendor) for table in shared]
            made.append(
                Removal(tables.RUNS, "conversation_id", part, vendor, OF_A_RUN, stamp),
            )
    return made


def _kits(session: Session) -> list[tables.Table]:
    """The kits' wide tables, whichever there are."""
    found = session.query(
        "select table_name as name from information_schema.tables where lower(table_schema) = ?",
        [tables.SCHEMA],
    )
    names = sorted(str(row["name"]).lower() for row in found)
    return [
        tables.scores(n.removeprefix("scores__"), []) for n in names if n.startswith("scores__")
    ]


def _counted(removals: Sequence[Removal], counts: Sequence[int]) -> dict[str, int]:
    by_table: Counter[str] = Counter()
    for removal, count in zip(removals, counts, strict=True):
        by_table[removal.table.name] += count
    return {name: count for name, count in sorted(by_table.items()) if count}


# ---------------------------------------------------------------------- whose it is


def _find(request: Request, session: Session, state: State) -> Targets:
    wanted = [request.vendor] if request.vendor else list(vendors.names())
    found: dict[str, dict[str, datetime | None]] = {}
    for vendor in wanted:
        ids = (
            _by_id(vendor, request.conversation_ids, session)
            if request.conversation_ids
            else _of_person(vendor, request, session, state)
        )
        if ids:
            found[vendor] = ids
    return found


def _by_id(vendor: str, ids: Sequence[str], session: Session) -> dict[str, datetime | None]:
    """Also those that never landed: they must not land later."""
    found: dict[str, datetime | None] = dict.fromkeys(ids)
    for at in range(0, len(ids), CHUNK):
        part = ids[at : at + CHUNK]
        marks = ", ".join("?" * len(part))
        for row in session.query(
            f"select conversation_id, started_at from {tables.conversations(vendor).qualified} "
            f"where conversation_id in ({marks})",
            part,
        ):
            found[row["conversation_id"]] = row["started_at"]
    return found


def _of_person(
    vendor: str, request: Request, session: Session, state: State
) -> dict[str, datetime | None]:
    """The conversations that somebody took part in, as far as landing says who did.

    The warehouse narrows them down, by text; which of them it is, is decided here: an address
    that was spoken of, or a longer one that ends like it, is another person's.
    """
    who = _folded(request.email or request.user_id or "")
    table = tables.conversations(vendor).qualified
    near = f'%"{who}"%'
    if request.email:
        # The address may stand in the vendor's own record alone, and sealed while it is pending.
        rows = session.query(
            f"select conversation_id, started_at, owner_email as owner, participants, raw "
            f"from {table} where lower(owner_email) = ? "
            "or lower(cast(participants as varchar)) like ? "
            "or lower(cast(raw as varchar)) like ? or cast(raw as varchar) like ?",
            [who, near, near, '%"sealed":%'],
        )
    else:
        rows = session.query(
            f"select conversation_id, started_at, owner_id as owner, participants, null as raw "
            f"from {table} where lower(owner_id) = ? "
            "or lower(cast(participants as varchar)) like ?",
            [who, near],
        )
    found = {
        row["conversation_id"]: row["started_at"]
        for row in rows
        if who in _told(row["owner"], row["participants"], _record(row["raw"], state))
    }
    if request.email:
        for row in session.query(
            f"select conversation_id, raw from {tables.QUARANTINE.qualified} where vendor = ? "
            "and conversation_id is not null and lower(cast(raw as varchar)) like ?",
            [vendor, near],
        ):
            if who in _told(row["raw"]):
                found.setdefault(row["conversation_id"], None)
    return found


def _record(raw: Any, state: State) -> Any:
    """The vendor's record of a landed conversation, without what was said."""
    if not isinstance(raw, Mapping):
        return None
    if "sealed" in raw:
        try:
            return orjson.loads(state.tokens.unseal(raw["sealed"]))
        except Unreadable:
            return None
    return raw.get("record")


def _told(*values: Any) -> set[str]:
    """Every text in these values, as a whole."""
    return {_folded(text) for value in values for text in _texts(value)}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for held in value.values():
            yield from _texts(held)
    elif isinstance(value, list):
        for held in value:
            yield from _texts(held)


def _folded(text: str) -> str:
    return text.strip().lower()
