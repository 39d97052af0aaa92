"""The contract suite runs once for each vendor of the registry; a new file there adds its tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from bench import ALL, Bench, bench
from in_memory import folder, tmp_path  # noqa: F401

from semarize_sandbox.model import Call


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "vendor" in metafunc.fixturenames:
        assert len(ALL) >= 5, "the registry is empty: the suite would prove nothing"
        metafunc.parametrize("vendor", ALL)


@pytest.fixture
def start(
    vendor: str,
    folder: Path,  # noqa: F811
) -> Iterator[Callable[..., Bench]]:
    """Start a bench of this vendor with the calls given."""
    with ExitStack() as stack:

        def begin(given: Sequence[Call] = (), **options: bool) -> Bench:
            return stack.enter_context(bench(vendor, folder, given, **options))

        yield begin
