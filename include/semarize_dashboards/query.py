"""A page's SQL, in one place and with ``?`` for every value: nothing a user types becomes SQL."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

Value = str | int | float | bool | date | datetime
_PLACE = re.compile(r"\{(\w+)\}")
_COLUMN = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?")
FILTERS = "filters"


@dataclass(frozen=True, slots=True)
class Query:
    """SQL with places for what is asked.

    :param sql: a select; ``{name}`` stands for the value given under that name, or for several;
        ``{filters}`` for the condition that the page's filters come to.
    :param by: filter → the column that it narrows in this SQL, or None where it does not apply
        here. Every filter of the page stands here, so that none is ignored by oversight.
    """

    sql: str
    by: Mapping[str, str | None] | None = None

    def __post_init__(self) -> None:
        for column in (self.by or {}).values():
            if column is not None and not _COLUMN.fullmatch(column):
                raise ValueError(f"{column} is no column's name")

    def bound(
        self, chosen: Mapping[str, Sequence[Value]], **given: Value | Sequence[Value]
    ) -> tuple[str, list[Value]]:
        """The SQL with ``?`` and the values in their order.

        :param chosen: filter → the values chosen; the filter ``days`` has the first and last day.
        """
        condition, condition_values = self._condition(chosen)
        values: list[Value] = []

        def place(match: re.Match[str]) -> str:
            name = match[1]
            if name == FILTERS:
                values.extend(condition_values)
                return condition
            told = given[name]
            if isinstance(told, str | int | float | date):
                told = [told]
            values.extend(told)
            return ", ".join("?" * len(told)) or "null"

        return _PLACE.sub(place, self.sql), values

    def _condition(self, chosen: Mapping[str, Sequence[Value]]) -> tuple[str, list[Value]]:
        parts: list[str] = []
        values: list[Value] = []
        for name, wanted in chosen.items():
            if not wanted or FILTERS not in _PLACE.findall(self.sql):
                continue
            if name not in (self.by or {}):
                raise KeyError(f"the query does not say which column the filter {name} narrows")
            column = (self.by or {})[name]
            if column is None:
                continue
            if name == "days":
                parts.append(f"{column} between ? and ?")
            else:
                parts.append(f"{column} in ({', '.join('?' * len(wanted))})")
            values.extend(wanted)
        return " and ".join(parts) or "1 = 1", values
