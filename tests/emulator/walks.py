"""The emulator's translation of a statement, the same and several times quicker.

It walks the whole statement once for each of its seventy transformations. Nearly each of them asks
a node for its class first and cares for one class only, so those of which a statement has no such
node are passed over, and the others are only called with nodes that they may care for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType
from typing import Any

from sqlglot import Expr, exp

transform_before = exp.Expression.transform


class LookedCloser(Exception):
    """A transformation wanted to know more of a node than its class."""


class Stranger:
    """A node of which nothing is known but its class."""

    def __init__(self, of: type) -> None:
        object.__setattr__(self, "of", of)

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            return object.__getattribute__(self, "of")
        raise LookedCloser

    def __bool__(self) -> bool:
        raise LookedCloser

    def __eq__(self, other: object) -> bool:
        raise LookedCloser

    def __hash__(self) -> int:
        raise LookedCloser


class Known(threading.local):
    """The classes in the statement that is being translated, until something may have changed.

    Only between one transformation of a statement and the next is it known that nothing has.
    """

    is_between = False
    statement: Expr | None = None
    classes: frozenset[type] = frozenset()

    def of(self, statement: Expr) -> frozenset[type]:
        if self.statement is not statement:
            self.classes = frozenset(map(type, nodes(statement)))
            self.statement = statement
        return self.classes

    @contextmanager
    def set(self, *, is_between: bool) -> Iterator[None]:
        before = self.is_between
        self.is_between, self.statement = is_between, None
        try:
            yield
        finally:
            self.is_between, self.statement = before, None


KNOWN = Known()
# What each transformation does with a node of a class: whether it cares.
CARES: dict[CodeType, dict[type, bool]] = {}


def children(node: Expr) -> list[Expr]:
    """What a node is made of, in order: ``iter_expressions``, which is slower."""
    found: list[Expr] = []
    for value in node.args.values():
        if isinstance(value, list):
            found += [each for each in value if isinstance(each, Expr)]
        elif isinstance(value, Expr):
            found.append(value)
    return found


def nodes(statement: Expr) -> list[Expr]:
    """Every node of a statement, in no order."""
    found = [statement]
    for node in found:
        found += children(node)
    return found


def cares(function: Callable[..., Any], of: type, *args: Any, **kwargs: Any) -> bool:
    """Whether it may do anything with a node of this class: it is given one to find out."""
    known = CARES.setdefault(function.__code__, {})
    if of not in known:
        stranger = Stranger(of)
        try:
            known[of] = function(stranger, *args, **kwargs) is not stranger
        except LookedCloser:
            known[of] = True
    return known[of]


def transform(
    self: Expr, function: Callable[..., Any], *args: Any, copy: bool = True, **kwargs: Any
) -> Any:
    """``Expression.transform``: parents before their children, and nothing that is new."""
    if copy or not KNOWN.is_between:
        return transform_before(self, function, *args, copy=copy, **kwargs)
    cared = {of for of in KNOWN.of(self) if cares(function, of, *args, **kwargs)}
    if not cared:
        return self
    root = None
    waiting = [self]
    with KNOWN.set(is_between=False):
        while waiting:
            node = waiting.pop()
            parent, key, index = node.parent, node.arg_key, node.index
            new = function(node, *args, **kwargs) if type(node) in cared else node
            if root is None:
                root = new
            elif parent and key and new is not node:
                parent.set(key, new, index)
            if new is node:
                waiting += reversed(children(node))
    return root


def apply() -> None:
    """Put it in place."""
    exp.Expression.transform = transform
