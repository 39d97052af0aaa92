"""From the pipeline's errors to what Airflow does about them.

========== ==============================================================
``Stop``     the task fails at once: another try would fail the same way
``Wait``     the task is deferred until then, and its worker is free
``TryAgain`` the task fails and Airflow tries it again
========== ==============================================================

What nobody foresaw is tried again too, but its text is left out: a library's error often quotes the
value that it could not take, and words of a conversation belong in the warehouse alone.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from semarize_pipeline.errors import PipelineError, Stop, Wait


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
    except (PipelineError, AirflowException):
        raise
    except Exception as error:
        operator.log.error("%s", "".join(traceback.format_tb(error.__traceback__)))
        raise _without_text(error) from None


def _without_text(error: Exception) -> AirflowException:
    """An error that says which one it was and where, and not what it says."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    return AirflowException(
        f"{type(error).__module__}.{type(error).__qualname__} in {where.name} "
        f"({where.filename}:{where.lineno}). Its text may quote a conversation and is left out; "
        "the log shows the way to that line"
    )
