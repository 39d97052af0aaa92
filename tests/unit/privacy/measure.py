"""How fast calls are redacted, and how much of what was planted is found.

    PYTHONPATH=include .venv/bin/python tests/unit/privacy/measure.py

The calls are the sandbox company's: made up, so that what is found beside names and what was
planted is a mistake.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime

from semarize_pipeline.model import Conversation, Participant, Utterance
from semarize_pipeline.privacy.policy import Policy
from semarize_pipeline.privacy.redaction import Redactor
from semarize_sandbox import company
from semarize_sandbox.model import Call

DAYS = 28
UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
PLANTED = {
    "email": " Write to jo.mendes+work@acme.example.co.uk, please.",
    "phone": " My number is +44 20 7946 0958.",
    "card": " The card is 4111 1111 1111 1111.",
    "iban": " Send it to DE89 3704 0044 0532 0130 00.",
    "national_id": " My social is 536-22-1234.",
    "ip": " From 192.168.17.20 it fails.",
}


def conversation(call: Call, planted: bool) -> Conversation:
    people = {person.id: person for person in (call.owner, *call.people)}
    said = []
    for number, turn in enumerate(call.turns):
        speaker = people.get(turn.person_id or "")
        more = list(PLANTED.values())[number // 5 % len(PLANTED)] if number % 5 == 4 else ""
        said.append(
            Utterance(
                speaker.name if speaker else None,
                speaker.role if speaker else "unknown",
                turn.start_seconds,
                turn.end_seconds,
                turn.text + (more if planted else ""),
            )
        )
    return Conversation(
        conversation_id=call.id,
        started_at=call.started_at,
        channel=call.channel,
        title=call.title,
        participants=tuple(
            Participant(name=p.name, email=p.email, role=p.role, id=p.id) for p in call.people
        ),
        utterances=tuple(said),
        # As a vendor sends it: the words a second time.
        raw={"record": {"id": call.id, "title": call.title}, "transcript": [u.text for u in said]},
    )


def main() -> None:
    redactor = Redactor(Policy(redact="landing"))
    calls = company.generate(until=UNTIL, days=DAYS)
    for planted in (False, True):
        given = [conversation(call, planted) for call in calls]
        characters = sum(len(c.transcript or "") for c in given)
        begun = time.process_time()
        made = [redactor.conversation(each) for each in given]
        seconds = time.process_time() - begun
        found: Counter[str] = Counter()
        for each in made:
            found.update(each.redaction.counts if each.redaction else {})
        begun = time.process_time()
        for each in given:
            redactor.text(each.transcript or "")
        alone = time.process_time() - begun
        print(
            f"{'with' if planted else 'without'} what was planted: {len(given)} calls, "
            f"{characters / 1e6:.1f} million characters of transcript\n"
            f"  whole conversations, names and the vendor's record too: {seconds:.1f} s of CPU, "
            f"{1000 * seconds / len(given):.1f} ms a call\n"
            f"  the transcript alone, without names: {characters / alone / 1e6:.1f} million "
            f"characters a second\n  found: {dict(sorted(found.items()))}"
        )
        if planted:
            turns = [u.text for each in given for u in each.utterances]
            # Each stands in the utterance and in the record.
            expected = {k: 2 * sum(t.endswith(p) for t in turns) for k, p in PLANTED.items()}
            print(f"  planted: {dict(sorted(expected.items()))}")


if __name__ == "__main__":
    main()
