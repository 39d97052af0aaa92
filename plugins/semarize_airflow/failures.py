"""From the pipeline's errors to what Airflow does about them.

========== ==============================================================
``Stop``     the task fails at once: another try would fail the same way
``Wait``     the task is deferred until then, and its worker is free
``TryAgain`` the task fails and Airflow tries it again
========== ==============================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from semarize_pipeline.errors import Stop, Wait


@contextmanager
def handled(operator: BaseOperator, resume: str = "resume") -> Iterator[None]:
    """Run a pipeline function; a long wait resumes at the operator's method ``resume``."""
    try:
        yield
    except Wait as wait:
        operator.log.info("%s", wait)
        operator.defer(trigger=DateTimeTrigger(moment=wait.until), method_name=resume)
    except Stop as stop:
        raise AirflowFailException(str(stop)) from None
