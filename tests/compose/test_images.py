"""Every image that is pulled is named by its digest: a tag is what somebody else makes of it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PINNED = re.compile(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}")


def pulled() -> list[str]:
    """The images that are not made here."""
    compose = (ROOT / "docker-compose.yml").read_text()
    made = [name for name in re.findall(r"^\s*image: (\S+)", compose, re.MULTILINE)]
    stages = set(re.findall(r"^FROM \S+ AS (\w+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    bases = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    ours = [name for name in made if name.startswith("${IMAGE:-")]
    assert ours, "the guard: our own image is among them, and comes from no registry"
    return [name for name in (*made, *bases) if name not in ours and name not in stages]


def test_every_image_has_a_digest() -> None:
    images = pulled()
    assert {name.partition(":")[0] for name in images} == {"postgres", "redis", "python"}
    for name in images:
        assert PINNED.fullmatch(name), name


def test_one_base_for_both_stages() -> None:
    assert len({name for name in pulled() if name.startswith("python:")}) == 1
