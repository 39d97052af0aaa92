"""The pipeline's tests keep their databases in memory."""

from in_memory import folder, tmp_path  # noqa: F401
