"""Tells people that a task failed: in Slack, by e-mail, or not at all where nobody set it up.

A connection switches each way on: ``slack_notifications`` (type Slack Incoming Webhook) and
``smtp_default`` with ``notify.email_to`` of the settings. They are looked for when a task has
failed, never while DAG files are read. What is sent is what the log says in its last line: which
task, what is wrong and what to do, and never a word of a conversation.
"""

from __future__ import annotations

import html
import logging
from typing import Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowException, AirflowNotFoundException

from semarize_airflow.run import read_settings
from semarize_pipeline.errors import PipelineError

log = logging.getLogger(__name__)

SLACK = "slack_notifications"
SMTP = "smtp_default"
LONGEST_REASON = 600


def failed(context: Any) -> None:
    """What every task calls when it has failed for good (``on_failure_callback``)."""
    for name, tell in ((SLACK, _tell_slack), (SMTP, _tell_by_mail)):
        try:
            if _exists(name):
                tell(context)
        except Exception as error:
            # Not what it says: an address of Slack is a secret. Nor may it hide why a task failed.
            log.warning(
                "nobody was told by %s (%s): check that connection", name, type(error).__name__
            )


def _exists(name: str) -> bool:
    try:
        BaseHook.get_connection(name)
    except AirflowNotFoundException:
        return False
    return True


def _tell_slack(context: Any) -> None:
    from airflow.providers.slack.notifications.slack_webhook import SlackWebhookNotifier

    # At debug its client writes the address that it sends to, and that is a secret.
    logging.getLogger("slack_sdk").setLevel(logging.INFO)
    # Not called but told to notify: being called would take what stands in it for a template.
    text = "\n".join(html.escape(line, quote=False) for line in message(context))
    SlackWebhookNotifier(
        slack_webhook_conn_id=SLACK,
        text=text,
        unfurl_links=False,
        unfurl_media=False,
        timeout=20,
    ).notify(context)  # type: ignore[no-untyped-call]


def _tell_by_mail(context: Any) -> None:
    to = read_settings().notify.email_to
    if not to:
        return
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    lines = message(context)
    SmtpNotifier(
        smtp_conn_id=SMTP,
        to=list(to),
        subject=lines[0],
        html_content="<br>\n".join(html.escape(line) for line in lines),
    ).notify(context)


def message(context: Any) -> list[str]:
    """Which task, what is wrong with the remedy, and where to read on."""
    ti = context["ti"]
    told = [f"{ti.dag_id}: {ti.task_id} failed", f"Run: {ti.run_id}"]
    if ti.map_index is not None and ti.map_index >= 0:
        told.append(f"Part: {ti.map_index}")
    told.append(_reason(context.get("exception")))
    if url := getattr(ti, "log_url", None):
        told.append(f"Log: {url}")
    told.append("What to do stands above, and in the DAG's notes under Triage.")
    return told


def _reason(error: Any) -> str:
    """The first line of an error of ours, which holds no content; else only which one it was."""
    if error is None:
        return "Its process ended without a word: a killed worker, or no memory left."
    text = str(error).strip() if isinstance(error, PipelineError | AirflowException) else ""
    first = text.splitlines()[0] if text else type(error).__name__
    return first if len(first) <= LONGEST_REASON else first[:LONGEST_REASON] + " [...]"
