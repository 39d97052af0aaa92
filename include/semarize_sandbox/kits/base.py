"""What a kit is made of: bricks with a stated rule, and versions that never change."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from semarize_sandbox.kits.reading import Reading

BrickType = Literal["boolean", "score", "category", "string", "string_list"]
Value = bool | float | str | list[str] | None

_NAMESPACE = uuid.UUID("5e3a712e-5a4d-4b0c-9a57-2f6f0c1d7b11")
_QUOTES = 4
ALL_FIELDS = ("value", "confidence", "reason", "evidence")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found: the value, how often it was hit, why, and the words that show it."""

    value: Value
    hits: int
    reason: str
    evidence: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Brick:
    """One question of a kit. ``describe`` states the rule; ``fields`` are those that it gives."""

    key: str
    type: BrickType
    describe: str
    rule: Callable[[Reading], Finding]
    scale: tuple[float, float] | None = None
    allowed_values: tuple[str, ...] | None = None
    fields: tuple[str, ...] = ALL_FIELDS

    def answer(self, reading: Reading) -> dict[str, Any]:
        """The brick's output for a transcript; null with low confidence when it is empty."""
        if not reading.text.strip():
            full: dict[str, Any] = {
                "value": None,
                "confidence": 0.1,
                "reason": "There is nothing to read in the transcript.",
                "evidence": [],
            }
        else:
            found = self.rule(reading)
            # More evidence and more text make an answer surer; it never becomes certain.
            sure = 0.45 + 0.12 * min(4, found.hits) + 0.05 * min(1.0, len(reading.text) / 2000)
            full = {
                "value": found.value,
                "confidence": round(min(0.98, sure), 2),
                "reason": found.reason,
                "evidence": list(dict.fromkeys(found.evidence))[:_QUOTES],
            }
        return {name: full[name] for name in ALL_FIELDS if name in self.fields}


@dataclass(frozen=True, slots=True)
class KitVersion:
    """One published version of a kit; it never changes."""

    id: str
    kit_code: str
    number: int
    bricks: tuple[Brick, ...]

    def answer(self, transcript: Any) -> dict[str, dict[str, Any]]:
        """The output of every brick, by key."""
        reading = Reading.of(transcript)
        return {brick.key: brick.answer(reading) for brick in self.bricks}


class Kit:
    """A named set of bricks under a code; the last version published is what the code means."""

    def __init__(self, code: str, name: str, bricks: Iterable[Brick]) -> None:
        self.code = code
        self.name = name
        self.versions: list[KitVersion] = []
        self.publish(bricks)

    @property
    def current(self) -> KitVersion:
        return self.versions[-1]

    def publish(self, bricks: Iterable[Brick] | None = None) -> KitVersion:
        """Publish a new version, with other bricks or with the same; earlier ones stay usable."""
        number = len(self.versions) + 1
        version = KitVersion(
            id=str(uuid.uuid5(_NAMESPACE, f"{self.code}:{number}")),
            kit_code=self.code,
            number=number,
            bricks=self.current.bricks if bricks is None else tuple(bricks),
        )
        self.versions.append(version)
        return version
