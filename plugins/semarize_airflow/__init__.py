"""The pipeline inside Airflow: hooks, operators and triggers around ``semarize_pipeline``.

The only package that imports both. An operator turns the task's context into arguments; what
it does with them is in ``include/semarize_pipeline``.
"""
