"""What every DAG of the project has: who is called, how it is tried again, what to read first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from semarize_airflow import notifications

ARGS: dict[str, Any] = {
    "owner": "revops-data",
    "retries": 3,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=15),
    # Off until somebody makes a connection for it.
    "on_failure_callback": notifications.failed,
}

_CONVERSATIONS = """\
### What
Lists what `{vendor}` has had since the watermark, fetches the transcripts that are not complete
yet, lands both in `landing.{vendor}__*`, has them scored by the kits in the settings file, and
lands the scores.

### Triage notes
- **A red `extract` that failed at once**: the message names the connection (`{vendor}_default`) and
  what to do. Trying again does not help. Where it says that the state database knows nothing of
  this vendor, it was lost: `rebuild_state`.
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
- The error names the model or test that failed; the others are built all the same. Every node's
  result is in `landing.dbt_results`.
- **A model that broke** is tried once more by itself. Cleared, the task builds what its last try
  left (failed and skipped nodes, and all that is before a failed test), and says so. The next run
  builds everything.
- **Failed tests alone** are not tried again: correct the rows or the SQL, then clear the task.

### Safe to run again?
Always.
"""

RESCORE_DOC = """\
### What
Has conversations that have landed evaluated by kits that you name, or by versions of them. No
vendor is asked. Two kits over the same conversations are a comparison: each has its table
`scores__<kit>`, and two versions of one kit have rows of their own in it. The hourly runs' kits are
not disturbed.

### Triage notes
- **`plan`** says how many runs it would buy, and their price where `score.price_per_run` is set.
- **`approve` waits** where the plan is large (`history.approve_above_runs`): approve or reject it
  under Required Actions.
- **A purple `rescore`** waits for slow runs, or for tomorrow's share of `score.max_runs_per_day`.
- **To stop it**: mark the task failed. To go on: clear it, or start a run with the same
  `campaign`.

### Safe to run again?
Always. What was bought is not bought again, whoever bought it.
"""

RECONCILE_DOC = """\
### What
Lists the last `history.reconcile_days` of every vendor again. Fetches what the hourly runs missed
and what has changed since, marks what is deleted or private now, and writes
`landing.reconciliation`: per vendor and day, listed = scored + unscored + pending + absent +
quarantined + private + deleted.

### Triage notes
- **`check` failed**: it names vendor and day. Conversations were listed that are not where the
  ledger says; a backfill of these days fetches them.
- **`relist__<vendor>` failed at once**: much less is listed than before, or the credential was
  refused. Nothing was marked; the message says what to compare.
- **A purple `relist__<vendor>`** waits for the vendor's limit. It goes on by itself.

### Safe to run again?
Always. Nothing is marked before a listing is complete.
"""

BACKFILL_DOC = """\
### What
Reads a stretch of the past from one vendor or all, in slices, and has it scored by the kits that
you name, or by none. The hourly runs' watermark is not touched, and they keep their share of every
limit (`history.live_share`).

### Triage notes
- **`plan`** lists some of the slices and says what it would take: calls, requests, runs, days and
  cost.
- **`approve` waits** where the plan is large: approve or reject it under Required Actions.
- **A purple `backfill`** waits for a day's or week's limit, for tomorrow's cap on runs, or for slow
  runs. It goes on by itself.
- **How far it is**: the task's log and its XCom `progress`; the state database's table `slices`.
- **To stop it**: mark the task failed. To go on: clear it, or start a run with the same
  `campaign`.

### Safe to run again?
Always. What landed is not fetched again, what was bought is not bought again.
"""

REPLAY_DOC = """\
### What
Once more, after a fix: records that could not be read (`landing.quarantine`), and Semarize runs
that failed or were refused, whichever kit or campaign had bought them. A record that is read now
lands and is due for the hourly runs' kits; its row in the quarantine gets `resolved_at`.

### Triage notes
- **`plan`** says how many records and runs it would try. A run costs what any run costs.
- **Still in quarantine**: the row's `reason` is the new one.
- **A purple `replay`** waits for a limit, or for slow runs. It goes on by itself.
- **To stop it**: mark the task failed. To go on: clear it.

### Safe to run again?
Always. A run is bought once more for each replay at most.
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

REBUILD_DOC = """\
### What
Restores the state database from the warehouse after it was lost: the ledger, what was erased, the
paid runs, the watermarks as far as is proven, and what is used of limits and caps. It asks no
vendor and buys nothing. Trigger it with `dry_run` first. `docs/operations.md` says more.

### Triage notes
- **Red at once**: the state database is not empty. Look whether `state_default` is the right one;
  an old backup is brought forward with `merge`.
- **`authorize`** in its result names connections whose tokens are lost: authorize them again.
- **`unfinished_erasures`** above 0: order these erasures again.
- **`extract` still refuses**: the last run of this was dry.

### Safe to run again?
Always. It moves forward only, and what is newer in the state database stays.
"""


FRESHNESS_DOC = """\
### What
Each day at 08:00 UTC: fails where the marts, or the conversations of a vendor that is being read,
are older than `notify.stale_after_hours`. A failure is what notifications tell of.

### Triage notes
The message names what is old. Look for a paused DAG, or one that fails or waits each hour:
`conversations__<vendor>` for conversations, `scorecards` for marts.

### Safe to run again?
Always. It only reads.
"""


def conversations_doc(vendor: str) -> str:
    return _CONVERSATIONS.format(vendor=vendor)
