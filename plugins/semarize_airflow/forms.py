"""The forms of the DAGs that a person starts. What they mean is checked in ``orders.py``."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param

from semarize_pipeline import vendors


def _vendor() -> Param:
    return Param(
        "all",
        type="string",
        enum=["all", *vendors.names()],
        title="Vendor",
        description="One vendor, or all that have a connection.",
        section="What",
    )


def _day(title: str, description: str) -> Param:
    return Param(
        None,
        type=["null", "string"],
        format="date",
        title=title,
        description=description,
        section="What",
    )


def _kits(description: str) -> Param:
    return Param(
        [],
        type="array",
        items={"type": "string"},
        title="Kits",
        description=description,
        section="What",
    )


def _cap(title: str, description: str, kind: str = "integer") -> Param:
    return Param(
        None,
        type=["null", kind],
        minimum=0,
        title=title,
        description=description,
        section="Caps",
    )


def _last() -> dict[str, Param]:
    """What every form ends with."""
    return {
        "max_runs": _cap("Most Semarize runs", "Empty: no cap but score.max_runs_per_day."),
        "max_cost": _cap(
            "Most cost", "In score.currency, at score.price_per_run. Empty: no cap.", "number"
        ),
        "campaign": Param(
            None,
            type=["null", "string"],
            maxLength=250,
            title="Campaign",
            description=(
                "Empty: this run. The name of an earlier one (its run id, or what stood here) goes "
                "on where that one stopped, under the same caps."
            ),
            section="How",
        ),
        "dry_run": Param(
            False,
            type="boolean",
            title="Only plan",
            description="Say what it would do, and stop.",
            section="How",
        ),
    }


def rescore() -> dict[str, Any]:
    return {
        "vendor": _vendor(),
        "from": _day("From", "First day (UTC) of conversations that have landed."),
        "to": _day("To", "Last day (UTC), itself included. Empty: today."),
        "ids": Param(
            [],
            type="array",
            items={"type": "string"},
            title="Conversation ids",
            description="Instead of days, or among them: only these, one a line.",
            section="What",
        ),
        "kits": _kits(
            "Names of kits in the settings file, one a line; name@version for one version. "
            "Two of them are a comparison over the same conversations."
        ),
        **_last(),
    }


def backfill() -> dict[str, Any]:
    return {
        "vendor": _vendor(),
        "from": _day("From", "First day (UTC)."),
        "to": _day("To", "Last day (UTC), itself included. Empty: today."),
        "kits": _kits(
            "Names of kits in the settings file, one a line; name@version for one version. "
            "None: land the conversations, buy nothing."
        ),
        "order": Param(
            "newest first",
            type="string",
            enum=["newest first", "oldest first"],
            title="Order",
            description="Which day comes first.",
            section="How",
        ),
        "max_calls": _cap("Most calls", "New conversations to fetch. Empty: no cap."),
        **_last(),
    }


def replay() -> dict[str, Any]:
    return {
        "vendor": _vendor(),
        "what": Param(
            "both",
            type="string",
            enum=["quarantined", "failed", "both"],
            title="What",
            description="Records that could not be read; runs that failed or were refused.",
            section="What",
        ),
        "from": _day("From", "First day (UTC) on which it went wrong. Empty: all."),
        "to": _day("To", "Last day (UTC), itself included. Empty: today."),
        "reason": Param(
            None,
            type=["null", "string"],
            title="Reason contains",
            description="Only those whose reason or error code contains this. Empty: all.",
            section="What",
        ),
        **_last(),
    }
