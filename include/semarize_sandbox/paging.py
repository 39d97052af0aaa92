"""Cutting a list into pages, including lists that move while they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """The rows of one page; ``next_offset`` is None when nothing follows."""

    rows: Sequence[Row]
    offset: int
    total: int

    @property
    def next_offset(self) -> int | None:
        following = self.offset + len(self.rows)
        return following if self.rows and following < self.total else None


def cut(rows: Sequence[Row], offset: int, size: int, shifted: int = 0) -> Page[Row]:
    """The page at ``offset``; pages after the first see the list moved by ``shifted`` rows.

    Positive: as if so many rows had been put in front meanwhile, so that rows come twice;
    negative: as if so many had been taken away, so that rows are skipped.
    """
    if offset <= 0:
        return Page(rows[:size], 0, len(rows))
    first = max(0, offset - shifted)
    return Page(rows[first : first + size], offset, len(rows) + shifted)
