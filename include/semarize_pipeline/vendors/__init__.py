"""The registry: every module of this folder that declares a ``VENDOR``."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from semarize_pipeline.errors import Misconfigured
from semarize_pipeline.vendors.base import Vendor


@cache
def names() -> tuple[str, ...]:
    """The vendors' names, found by file name: nothing is imported, so DAG files may ask."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name != "base"))


def get(name: str) -> Vendor:
    """A vendor's declaration."""
    if name not in names():
        raise Misconfigured(f"no vendor {name!r}; there are {', '.join(names())}")
    vendor: Vendor = importlib.import_module(f"{__name__}.{name}").VENDOR
    return vendor
