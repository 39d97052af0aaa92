"""The sandbox's kits: what is asked of a transcript, and the stated rule behind every answer.

The real service reads conversations with a language model. Here every brick follows a rule
that stands in its ``describe``: phrases are looked for, counted and weighed. So the same
transcript always gets the same answer, and anybody can check it by reading.
"""

from __future__ import annotations

from collections.abc import Mapping

from semarize_sandbox.kits.accuracy import battlecards, commercial_accuracy, messaging_accuracy
from semarize_sandbox.kits.base import Brick, Kit, KitVersion
from semarize_sandbox.kits.coaching import coaching_skills
from semarize_sandbox.kits.compliance_rules import compliance_rules
from semarize_sandbox.kits.deal_signals import deal_signals, discovery
from semarize_sandbox.kits.interaction_quality import disclosure, interaction_quality
from semarize_sandbox.kits.methodology import methodology_meddicc, methodology_spiced
from semarize_sandbox.kits.qualification import qualification
from semarize_sandbox.kits.service import agent_wellbeing, service_experience

__all__ = [
    "DEAL_SIGNALS",
    "INTERACTION_QUALITY",
    "SPARE_BRICKS",
    "Brick",
    "Kit",
    "KitVersion",
    "kits",
]

SPARE_BRICKS: Mapping[str, Brick] = {
    brick.key: brick
    for brick in (
        Brick(
            key="disclosure_given",
            type="boolean",
            rule=disclosure,
            describe="True when the rep says that the conversation is recorded or stored.",
        ),
        Brick(
            key="discovery_depth",
            type="score",
            scale=(0.0, 1.0),
            rule=discovery,
            describe="Open questions of the rep, six or more give 1.",
        ),
    )
}
"""Bricks in no first version, for publishing a version that has more than the one before."""

INTERACTION_QUALITY = "C5A1E07B"
DEAL_SIGNALS = "D3A15160"


def kits() -> dict[str, Kit]:
    """Fresh kits by code, each with its first version published."""
    made = (
        Kit(INTERACTION_QUALITY, "interaction_quality", interaction_quality()),
        Kit(DEAL_SIGNALS, "deal_signals", deal_signals()),
        Kit("90A11F1E", "qualification", qualification()),
        Kit("C0AC4152", "coaching_skills", coaching_skills()),
        Kit("3DD1CCA2", "methodology_meddicc", methodology_meddicc()),
        Kit("5B1CEDB3", "methodology_spiced", methodology_spiced()),
        Kit("A55A6E01", "messaging_accuracy", messaging_accuracy()),
        Kit("0F1CE8D4", "commercial_accuracy", commercial_accuracy()),
        Kit("BA77CA2D", "battlecards", battlecards()),
        Kit("7B40C1D2", "compliance_rules", compliance_rules()),
        Kit("5E21A9F4", "service_experience", service_experience()),
        Kit("A6E3770D", "agent_wellbeing", agent_wellbeing()),
    )
    return {kit.code: kit for kit in made}
