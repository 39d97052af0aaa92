"""Conversations from five vendors, scored by Semarize, landed as typed rows.

Plain Python: nothing in this package knows Airflow. Start reading at ``pipeline.py``.
"""
