"""Errors, named by what to do next.

============== ========================================= ===========================
class          situation                                 who acts
============== ========================================= ===========================
``TryAgain``   connection trouble, 5xx, lock not free    the task's own retry
``Wait``       a limit that ends at a known moment       hand the worker back until then
``Stop``       only a person can mend it                 fail at once, without retries
``Unreadable`` one record is not what was agreed         quarantine it, land the rest
============== ========================================= ===========================

Messages name the remedy: which connection, which setting, what to do next. They never
hold a transcript, a credential or a response body.
"""

from __future__ import annotations

from datetime import datetime


class PipelineError(Exception):
    """The root: catch it to catch everything that this package raises on purpose."""


class TryAgain(PipelineError):
    """A passing fault; the same call may succeed a little later."""


class Wait(PipelineError):
    """A limit is used up until ``until`` (aware, UTC). ``reason`` says which one."""

    def __init__(self, reason: str, until: datetime) -> None:
        super().__init__(f"{reason}; goes on at {until:%Y-%m-%d %H:%M:%S} UTC")
        self.reason = reason
        self.until = until


class Stop(PipelineError):
    """Nobody but a person can mend this; trying again is noise."""


class BadCredentials(Stop):
    """The credential was refused, has expired, or lacks a scope."""


class Misconfigured(Stop):
    """A setting or a connection is missing or contradicts itself."""


class ContractBroken(Stop):
    """The other side answered in a shape that we do not know; rows would be lost silently."""


class ListingTooLong(ContractBroken):
    """A listing goes on where the vendor's paging does not reach; a shorter window may end."""


class Unreadable(PipelineError):
    """One record cannot be read. ``reason`` is short and holds no content."""
