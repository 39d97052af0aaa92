"""The databases of these tests are in memory: it is the wire that fails."""

from in_memory import folder, tmp_path  # noqa: F401
