"""What every DAG of the project has: who is called, how it is tried again, what to read first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

ARGS: dict[str, Any] = {
    "owner": "revops-data",
    "retries": 3,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=15),
}

_CONVERSATIONS = """\
### What
Lists what `{vendor}` has had since the watermark, fetches the transcripts that are not complete
yet, lands both in `landing.{vendor}__*`, has them scored by the kits in the settings file, and
lands the scores.

### Triage notes
- **A red `extract` that failed at once**: the message names the connection (`{vendor}_default`) and
  what to do. Trying again does not help.
- **A purple `extract`** waits for the vendor's limit to end. It goes on by itself.
- **A purple `score`** waits for slow Semarize runs. It goes on by itself.
- An older red run is healed by a newer green one: the watermark moves only when all has landed.

### Safe to run again?
Always. Rows merge on their key, transcripts that have landed are not fetched again, and a run that
was paid for is never bought twice.

### Where to look
`landing.loads` (each load), `landing.ledger` (each conversation, and why), `landing.quarantine`
(what could not be read), `marts.pipeline_health`.
"""

SCORECARDS_DOC = """\
### What
One `dbt build` of everything, when scores have landed, and each day at 05:30 UTC in any case.

### Triage notes
The error names the model or test that failed; the others are built all the same. Every node's
result is in `landing.dbt_results`.

### Safe to run again?
Always.
"""

ERASE_DOC = """\
### What
Erases conversations: those named, or every one in which a person took part. They leave all landing
tables, the marts follow with the next `scorecards`, and the ledger keeps them from landing again.
Trigger it with `dry_run` first. `docs/privacy.md` says what it cannot reach.

### Triage notes
- **Red at once**: the message says which field of the form is missing.
- **Killed**: clear the task. It goes on where it stopped, with the same record.
- An address in the form stays in Airflow's own database with the run: delete the run afterwards.

### Safe to run again?
Always. What is gone is gone; `landing.erasures` shows each request once.
"""

RETENTION_DOC = """\
### What
Blanks content that is older than `[privacy.retention_days]` of the settings allows, and removes
what landed again of erased conversations. While neither is there, it opens no warehouse.

### Triage notes
An older red run is healed by a newer green one.

### Safe to run again?
Always. What is blank stays as it is.
"""


def conversations_doc(vendor: str) -> str:
    return _CONVERSATIONS.format(vendor=vendor)
