"""The names on which DAGs are scheduled."""

from __future__ import annotations

from airflow.sdk import Asset, AssetAlias

SCORES = Asset(name="scores", uri="semarize://landing/scores")
SCORECARDS = Asset(name="scorecards", uri="semarize://marts/scorecards")
# Becomes an event of ``SCORES`` in a run that erased anything: the marts must follow.
ERASURES = AssetAlias("erasures")


def landed_scores(vendor: str) -> AssetAlias:
    """A vendor's outlet: it becomes an event of ``SCORES`` only in a run that landed any."""
    return AssetAlias(f"scores_of_{vendor}")
