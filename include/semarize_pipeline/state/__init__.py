"""The state database: small, transactional, shared by every task and worker.

Never the warehouse: it counts requests and guards paid runs with a unique key across
processes, and an hour with nothing new must not wake a warehouse.
"""

from semarize_pipeline.state.store import State

__all__ = ["State"]
