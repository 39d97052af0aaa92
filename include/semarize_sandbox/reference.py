"""Tables about the made-up company that are not conversations: CRM, cadences, documents, rules.

``tables`` makes them for a span of days, from the same people, deals and documents that decide
what is said in the calls. What changes with time has one row for each state, valid from
``known_from`` on and until ``known_until``: the rows of a day are those whose span holds it, so
nothing that happens later shows. ``write`` puts them into CSV files for dbt.

Tables that name conversations name those that ``generate`` gives with ``CALLS_PER_DAY``; with
fewer calls a day, some of the conversations named do not exist.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any, Literal

from semarize_sandbox import company, documents
from semarize_sandbox.kits.interaction_quality import empathy, escalation, resolution
from semarize_sandbox.kits.reading import Reading
from semarize_sandbox.model import VENDORS, Call
from semarize_sandbox.wire import digits

FIRST, LAST = date(2026, 1, 1), date(2028, 12, 31)
SURVEYED = 0.4

Type = Literal["varchar", "integer", "double", "boolean", "date"]
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: Type
    describe: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table: what a row is, its columns, the columns that tell rows apart, and its rows."""

    name: str
    describe: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    rows: tuple[Row, ...]

    def records(self) -> list[dict[str, Any]]:
        names = [column.name for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]

    def csv(self) -> str:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(column.name for column in self.columns)
        writer.writerows([_cell(value) for value in row] for row in self.rows)
        return text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def tables(since: date = FIRST, until: date = LAST, seed: int = 7) -> list[Table]:
    """Every table, for the days from ``since`` to ``until``, both included."""
    if until < since:
        raise ValueError(f"--to {until} is before --from {since}")
    span = _Span(since, until, seed)
    return [make(span) for make in _MAKERS]


def write(folder: Path, made: Iterable[Table]) -> list[Path]:
    """Write each table as ``<name>.csv``, and what dbt has to know of them all."""
    folder.mkdir(parents=True, exist_ok=True)
    made = list(made)
    written: list[Path] = []
    for table in made:
        path = folder / f"{table.name}.csv"
        path.write_text(table.csv(), encoding="utf-8")
        written.append(path)
    path = folder / "_sandbox__seeds.yml"
    path.write_text(properties(made), encoding="utf-8")
    return [*written, path]


def properties(made: Iterable[Table]) -> str:
    """The tables' descriptions, column types and keys, as dbt reads them."""
    lines = [
        "# Written by `python -m semarize_sandbox reference`, as are the CSV files beside it.",
        "version: 2",
        "",
        "seeds:",
    ]
    for table in made:
        lines += [
            f"  - name: {table.name}",
            f"    description: {_quoted(table.describe + ' Made up, for the sandbox.')}",
            "    config:",
            "      group: data_platform",
            "      column_types:",
            *(f"        {column.name}: {column.type}" for column in table.columns),
            "    data_tests:",
            "      - unique_combination:",
            "          arguments:",
            f"            columns: [{', '.join(table.key)}]",
            "    columns:",
        ]
        for column in table.columns:
            lines += [
                f"      - name: {column.name}",
                f"        description: {_quoted(column.describe)}",
            ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def vendor_user_id(vendor: str, name: str) -> str:
    """How a vendor names a rep, as its stand-in serves it and the landing tables have it."""
    person = company.person_id(vendor, company.email_of(name))
    shown: dict[str, Callable[[], str]] = {
        "gong": lambda: digits(19, "gong", "user", person),
        "salesloft": lambda: digits(7, "salesloft", "person", person),
        "clari_copilot": lambda: digits(8, "clari_copilot", "user", person),
        "callminer": lambda: person,
        "chorus": lambda: digits(7, "chorus", person),
    }
    return shown[vendor]()


@dataclass(frozen=True)
class _Span:
    """The days that are asked for, and what several tables make of them."""

    since: date
    until: date
    seed: int

    def days(self) -> Iterator[date]:
        for offset in range((self.until - self.since).days + 1):
            yield self.since + timedelta(days=offset)

    @cached_property
    def employees(self) -> list[company.Employee]:
        """Everybody who works on one of the days; somebody who comes back is there twice."""
        found: dict[tuple[str, date], company.Employee] = {}
        for day in self.days():
            for person in company.employees(day, self.seed):
                found.setdefault((person.email, person.hired_on), person)
        return sorted(found.values(), key=lambda each: (each.vendor, each.hired_on, each.email))

    @cached_property
    def versions(self) -> range:
        """The numbers of the document versions that matter: also the one before the span's."""
        first = max(0, documents.number_on(self.since) - 1)
        return range(first, documents.number_on(self.until) + 1)

    def calls(self, vendor: str) -> list[Call]:
        until = datetime.combine(self.until + timedelta(days=1), time(), UTC)
        days = (self.until - self.since).days + 1
        return company.generate(until=until, days=days, seed=self.seed, vendors=(vendor,))


def _user_id(person: company.Employee) -> str:
    return company.salesforce_id("005", person.email, person.hired_on.isoformat())


_KNOWN = (
    Column("known_from", "date", "First day on which this was so."),
    Column("known_until", "date", "First day on which it was so no more; empty while it lasts."),
)


def _crm_users(span: _Span) -> Table:
    rows: list[Row] = []
    for person in span.employees:
        about = (
            person.name, person.email, person.vendor,
            vendor_user_id(person.vendor, person.name),
            "Support Agent" if person.vendor == "callminer" else "Account Executive",
            person.team, person.manager, person.territory, person.hired_on,
        )  # fmt: skip
        left = person.leaves_on
        rows.append((_user_id(person), *about, None, person.hired_on, left))
        if left is not None and left <= span.until:
            rows.append((_user_id(person), *about, left, left, None))
    return Table(
        "crm_users",
        "One row for each state of an employment of a rep or agent; who comes back has another.",
        (
            Column("user_id", "varchar", "The employment's id in the CRM."),
            Column("name", "varchar", "Full name."),
            Column("email", "varchar", "Address, as the vendors have it where they have one."),
            Column("vendor", "varchar", "The platform that this person talks on."),
            Column("vendor_user_id", "varchar", "The person's id there, as conversations land it."),
            Column("role", "varchar", "Account Executive or Support Agent."),
            Column("team", "varchar", "Team."),
            Column("manager", "varchar", "Name of the team's manager."),
            Column("territory", "varchar", "The person's territory."),
            Column("hired_on", "date", "First day of work."),
            Column("left_on", "date", "First day without work; empty until then."),
            *_KNOWN,
        ),
        ("user_id", "known_from"),
        tuple(rows),
    )


def _domain(account: company.Account) -> str:
    return account.contacts[0].email.split("@")[1]


def _crm_accounts(span: _Span) -> Table:
    return Table(
        "crm_accounts",
        "One row for each customer or prospect.",
        (
            Column("account_id", "varchar", "Id in the CRM."),
            Column("name", "varchar", "Name, as conversations land it."),
            Column("domain", "varchar", "What its people's addresses end in."),
            Column("territory", "varchar", "Sales territory."),
            Column("state", "varchar", "State of the United States, for rules on consent."),
            Column("segment", "varchar", "enterprise, mid-market or small business."),
            Column("industry", "varchar", "Industry."),
            Column("service_customer_id", "varchar", "Its id in the service centre (CallMiner)."),
        ),
        ("account_id",),
        tuple(
            (
                account.id, account.name, _domain(account), account.territory, account.state,
                account.segment, account.industry, company.customer_id(account, span.seed),
            )
            for account in company.accounts(span.seed)
        ),
    )  # fmt: skip


def _crm_contacts(span: _Span) -> Table:
    return Table(
        "crm_contacts",
        "One row for each person at a customer or prospect.",
        (
            Column("contact_id", "varchar", "Id in the CRM."),
            Column("account_id", "varchar", "Where they work."),
            Column("name", "varchar", "Full name, as transcripts have it."),
            Column("email", "varchar", "Address."),
            Column("title", "varchar", "Job title, such as CFO."),
        ),
        ("contact_id",),
        tuple(
            (
                company.salesforce_id("003", contact.email), account.id, contact.name,
                contact.email, contact.title,
            )
            for account in company.accounts(span.seed)
            for contact in account.contacts
        ),
    )  # fmt: skip


OWNING = {"enterprise": "gong", "mid-market": "clari_copilot", "small business": "salesloft"}


def _owner(deal: company.Deal, day: date, seed: int) -> company.Employee:
    """Who looks after a deal: the team of its segment, the seat of its account."""
    vendor = OWNING[deal.account.segment]
    return company.employee(vendor, deal.account.position % len(company.SEATS[vendor]), day, seed)


def _states(deal: company.Deal, seed: int) -> list[tuple[date, str, company.Employee]]:
    """The days on which a deal's stage or owner changed, until it closed."""
    states: list[tuple[date, str, company.Employee]] = []
    day, stage = deal.opened_on, ""
    while stage != company.STAGES[-1]:
        stage, owner = deal.stage(day), _owner(deal, day, seed)
        if not states or states[-1][1:] != (stage, owner):
            states.append((day, stage, owner))
        day += timedelta(days=1)
    return states


def _crm_opportunities(span: _Span) -> Table:
    rows: list[Row] = []
    for deal in company.deals(span.since, span.until, span.seed):
        states = _states(deal, span.seed)
        ends = [*(since for since, _, _ in states[1:]), None]
        for (since, stage, owner), end in zip(states, ends, strict=True):
            closed = stage == company.STAGES[-1]
            won = deal.won if closed else None
            rows.append(
                (
                    deal.id, deal.account.id, _user_id(owner), owner.email, deal.name,
                    deal.product, "new_business", deal.account.segment,
                    stage if not closed else "Closed Won" if won else "Closed Lost",
                    deal.amount, deal.seats, closed, won, deal.opened_on, deal.closes_on,
                    since if closed else None, since, end,
                )
            )  # fmt: skip
    return Table(
        "crm_opportunities",
        "One row for each state of an opportunity.",
        (
            Column("opportunity_id", "varchar", "Id in the CRM, as conversations land it."),
            Column("account_id", "varchar", "The account."),
            Column("owner_user_id", "varchar", "Who looks after it."),
            Column("owner_email", "varchar", "Their address."),
            Column("name", "varchar", "Name."),
            Column("product", "varchar", "What would be sold."),
            Column("deal_type", "varchar", "As in qualification_signals."),
            Column("segment", "varchar", "The account's segment."),
            Column("stage", "varchar", "Stage; a closed one is Closed Won or Closed Lost."),
            Column("amount_usd", "double", "Worth a year, in dollars."),
            Column("seats", "integer", "How many seats it is about."),
            Column("is_closed", "boolean", "Whether it has closed."),
            Column("is_won", "boolean", "Whether it was won; empty while it is open."),
            Column("created_on", "date", "When it was opened."),
            Column("expected_close_on", "date", "When it should close, by the owner's word."),
            Column("closed_on", "date", "When it closed; empty while it is open."),
            *_KNOWN,
        ),
        ("opportunity_id", "known_from"),
        tuple(rows),
    )


STEP_NAMES: dict[str, tuple[tuple[str, str], ...]] = {
    # cadence: its steps, by name and channel
    "Enterprise Outbound v3": (
        ("Intro Email", "email"), ("Discovery Call", "voice"), ("Value Email", "email"),
        ("Pricing Call", "voice"), ("Follow-up", "voice"),
    ),
    "Mid-Market Nurture v2": (
        ("Check-in Call", "voice"), ("Case Study", "email"), ("Demo Offer", "voice"),
        ("Proposal Call", "voice"),
    ),
    "Inbound Follow-up": (
        ("First Response", "voice"), ("Needs Call", "voice"), ("Next Step", "voice"),
    ),
    "Event Follow-up": (
        ("Thank-you Call", "voice"), ("Recap", "email"), ("Discovery Call", "voice"),
        ("Decision Call", "voice"),
    ),
}  # fmt: skip
SOURCES = {
    "Enterprise Outbound v3": "outbound", "Mid-Market Nurture v2": "nurture",
    "Inbound Follow-up": "inbound", "Event Follow-up": "event",
}  # fmt: skip


def _split(cadence: str) -> tuple[str, str]:
    name, _, version = cadence.rpartition(" v")
    return (name, f"v{version}") if name else (cadence, "v1")


def _cadences(_: _Span) -> Table:
    return Table(
        "cadences",
        "One row for each version of a cadence.",
        (
            Column("cadence_name", "varchar", "Name with version, as Salesloft lands it."),
            Column("cadence", "varchar", "Name without the version."),
            Column("version", "varchar", "Version."),
            Column("source", "varchar", "Where its prospects come from."),
            Column("step_count", "integer", "How many steps it has."),
        ),
        ("cadence_name",),
        tuple((name, *_split(name), SOURCES[name], steps)
              for name, steps in company.CADENCES.items()),
    )  # fmt: skip


def _cadence_steps(_: _Span) -> Table:
    return Table(
        "cadence_steps",
        "One row for each step of a cadence.",
        (
            Column("cadence_name", "varchar", "The cadence, with version."),
            Column("step_number", "integer", "1 for the first step."),
            Column("step_name", "varchar", "What the step is."),
            Column("channel", "varchar", "voice or email: what the cadence plans."),
        ),
        ("cadence_name", "step_number"),
        tuple(
            (cadence, number, name, channel)
            for cadence, steps in STEP_NAMES.items()
            for number, (name, channel) in enumerate(steps, 1)
        ),
    )


def _cadence_activities(span: _Span) -> Table:
    return Table(
        "cadence_activities",
        "One row for each conversation that was a step of a cadence.",
        (
            Column("vendor", "varchar", "The platform of the conversation."),
            Column("conversation_id", "varchar", "Its id there, as it lands."),
            Column("cadence_name", "varchar", "The cadence, with version."),
            Column("step_number", "integer", "The step."),
            Column("performed_on", "date", "The day of the conversation."),
        ),
        ("vendor", "conversation_id"),
        tuple(
            (
                call.vendor, call.id, call.extras["cadence"], call.extras["cadence_step"],
                call.started_at.date(),
            )
            for call in span.calls("salesloft")
        ),
    )  # fmt: skip


def _enablement_events(span: _Span) -> Table:
    rows: list[Row] = []
    for number, vendor in enumerate(VENDORS):
        if vendor == "callminer":
            continue
        # The last one before the span counts for its first days.
        held = documents.last_enablement(number, span.since)
        while held <= span.until:
            named = documents.version(documents.PLAYBOOK, documents.number_on(held)).name
            rows += [
                (
                    f"ENB-{vendor}-{held:%Y%m%d}-{element}", company.TEAMS[vendor][0], element,
                    held, documents.PLAYBOOK, named,
                )
                for element in documents.PLAYBOOK_ELEMENTS
            ]  # fmt: skip
            held += timedelta(days=documents.ENABLEMENT_DAYS)
    return Table(
        "enablement_events",
        "One row for each element of the playbook that a team was taught on a day.",
        (
            Column("event_id", "varchar", "Id."),
            Column("team", "varchar", "The team."),
            Column("topic", "varchar", "The playbook's element, as drift_category names it."),
            Column("held_on", "date", "When it was held."),
            Column("document", "varchar", "What was taught."),
            Column("document_version", "varchar", "Its version in force that day."),
        ),
        ("event_id",),
        tuple(rows),
    )


def _training_events(span: _Span) -> Table:
    rows: list[Row] = []
    for person in span.employees:
        if person.vendor == "callminer":
            continue
        held = documents.last_training(person.name, max(span.since, person.hired_on))
        last = min(span.until, person.leaves_on or span.until)
        while held <= last:
            if held >= person.hired_on:
                rows.append(
                    (
                        f"TRN-{_user_id(person)}-{held:%Y%m%d}", _user_id(person), person.email,
                        "objection_handling", held,
                    )
                )  # fmt: skip
            held += timedelta(days=documents.TRAINING_DAYS)
    return Table(
        "training_events",
        "One row for each training that a rep took.",
        (
            Column("event_id", "varchar", "Id."),
            Column("user_id", "varchar", "The rep's id in the CRM."),
            Column("user_email", "varchar", "The rep's address."),
            Column("skill", "varchar", "What was trained."),
            Column("held_on", "date", "When it was held."),
        ),
        ("event_id",),
        tuple(rows),
    )


def _grounding_documents(span: _Span) -> Table:
    rows: list[Row] = [
        (each.document, each.name, each.number, each.valid_from)
        for document in documents.DOCUMENTS
        for each in (documents.version(document, number) for number in span.versions)
    ]
    rows += [
        (documents.FRAMEWORK_GUIDE, "v3", 3, date(2025, 2, 3)),
        ("MEDDICC Guide", "v2", 2, date(2024, 9, 2)),
        ("Enablement Rubric", "v2.1", 21, date(2025, 6, 2)),
    ]
    return Table(
        "grounding_documents",
        "One row for each version of a document that kits hold calls against.",
        (
            Column("document", "varchar", "The document, as claims name it."),
            Column("version", "varchar", "The version, as claims name it."),
            Column("version_number", "integer", "Higher for later ones."),
            Column("valid_from", "date", "In force from this day until the next version is."),
        ),
        ("document", "version"),
        tuple(rows),
    )


def _grounding_facts(span: _Span) -> Table:
    rows: list[Row] = []
    for number in span.versions:
        docs = documents.version(documents.PRODUCT_DOCS, number)
        limit = documents.api_limit(number)
        facts = {
            "api_limits": f"{limit:,} requests a minute on Pro, {4 * limit:,} on Enterprise",
            "enterprise_sso": "Single sign-on on the Enterprise plan only",
            "uptime_sla": "99.9 percent uptime, with credits",
            "data_residency": "Data stays in the region that the customer picks",
            "integrations": "Standard fields are covered, other ones have to be mapped",
            "roadmap": "Nothing is promised that is not released",
        }
        rows += [(docs.document, docs.name, area, fact) for area, fact in facts.items()]
        book = documents.version(documents.PLAYBOOK, number)
        approved = {
            "value_prop": f"{documents.PROOF_PERCENT + number} percent fewer hand-offs",
            "positioning": f"For operations with more than {documents.SITES + number} sites",
            "competitive_response": (
                f"A comparison of {documents.COMPARED_POINTS + number} points, no bad word"
            ),
        }
        rows += [(book.document, book.name, area, fact) for area, fact in approved.items()]
    return Table(
        "grounding_facts",
        "One row for each thing that a version of a document says.",
        (
            Column("document", "varchar", "The document."),
            Column("version", "varchar", "Its version."),
            Column("area", "varchar", "What it is about, as claims and messages name it."),
            Column("fact", "varchar", "What is right by this version."),
        ),
        ("document", "version", "area"),
        tuple(rows),
    )


def _rate_card(span: _Span) -> Table:
    return Table(
        "rate_card",
        "One row for each plan on a version of the rate card.",
        (
            Column("version", "varchar", "Version of the rate card, as quoted prices name it."),
            Column("tier", "varchar", "The plan."),
            Column("price_usd_per_seat_month", "double", "List price a seat and month, dollars."),
            Column("valid_from", "date", "In force from this day until the next version is."),
        ),
        ("version", "tier"),
        tuple(
            (each.name, tier, documents.tier_price(tier, each.number), each.valid_from)
            for each in (documents.version(documents.RATE_CARD, n) for n in span.versions)
            for tier in documents.TIER_PRICES
        ),
    )


def _discount_authority(_: _Span) -> Table:
    return Table(
        "discount_authority",
        "One row for each role and term: the highest discount that the role may grant.",
        (
            Column("role", "varchar", "The role."),
            Column("term_years", "integer", "For how long the customer commits."),
            Column("maximum_discount_percent", "double", "The highest discount, in percent."),
            Column("valid_from", "date", "In force from this day on."),
        ),
        ("role", "term_years"),
        tuple(
            (each.role, years, percent, date(2025, 1, 1))
            for each in documents.AUTHORITIES
            for years, percent in ((1, each.one_year_percent), (2, each.two_years_percent))
        ),
    )


RULE_TITLES = {
    "disclosure_sequence": "Disclosure sequence",
    "state_consent": "Consent language (state-specific)",
    "prohibited_phrases": "Prohibited phrases",
    "mini_miranda": "Mini-Miranda",
}


def _compliance_rules(_: _Span) -> Table:
    rows: list[Row] = []
    for rule in documents.COMPLIANCE_RULES:
        places = documents.ALL_PARTY_STATES if rule == "state_consent" else ("US",)
        for place in places:
            for framework, custom in (
                (documents.CUSTOM_FRAMEWORK, True), (documents.DEFAULT_FRAMEWORK, False),
            ):  # fmt: skip
                rows.append(
                    (
                        framework, custom,
                        documents.FRAMEWORK_VERSION if custom else "2026.1", rule,
                        RULE_TITLES[rule], place, f"rule_{rule}",
                        custom or rule in documents.DEFAULT_RULES,
                        0 if custom else 90, date(2026, 1, 1),
                    )
                )  # fmt: skip
    return Table(
        "compliance_rules",
        "One row for each framework, rule and place, with whether the framework checks it.",
        (
            Column("framework", "varchar", "The framework."),
            Column("is_custom", "boolean", "Whether it is the house's own, not the vendor's."),
            Column("framework_version", "varchar", "Its version, as framework_version gives it."),
            Column("rule", "varchar", "The rule, as violations name it."),
            Column("rule_title", "varchar", "The rule in words."),
            Column("jurisdiction", "varchar", "US, or the state that wants it."),
            Column("brick_key", "varchar", "The brick of compliance_rules with its verdict."),
            Column("is_checked", "boolean", "Whether the framework checks this rule."),
            Column("update_days", "integer", "How long a change takes to get in; 0: same day."),
            Column("valid_from", "date", "In force from this day on."),
        ),
        ("framework", "framework_version", "rule", "jurisdiction"),
        tuple(rows),
    )


def _battlecards(_: _Span) -> Table:
    return Table(
        "battlecards",
        "One row for each version of what is known of a competitor.",
        (
            Column("competitor", "varchar", "The competitor."),
            Column("version", "varchar", "Version of its battlecard."),
            Column("updated_on", "date", "When it was updated."),
        ),
        ("competitor", "version"),
        tuple(
            (competitor, name, updated)
            for competitor, versions in documents.BATTLECARD_UPDATES.items()
            for name, updated in versions
        ),
    )


def _battlecard_claims(_: _Span) -> Table:
    return Table(
        "battlecard_claims",
        "One row for each thing said of a competitor, and whether it holds by the battlecard.",
        (
            Column("competitor", "varchar", "The competitor."),
            Column("claim", "varchar", "The claim, as competitor_claims names it."),
            Column("known_by", "varchar", "The words by which it is known."),
            Column("verdict", "varchar", "accurate or outdated."),
            Column("since_version", "varchar", "The battlecard's version since which it is so."),
        ),
        ("competitor", "claim"),
        tuple(
            (competitor, claim.key, claim.mark, claim.verdict, claim.version)
            for competitor, claims in documents.BATTLECARDS.items()
            for claim in claims
        ),
    )


def _certification_rubrics(_: _Span) -> Table:
    skills = (
        ("discovery", "Discovery", "discovery_score", 70.0),
        ("objections", "Objections", "objection_handling_score", 65.0),
        ("closing", "Closing", "closing_score", 65.0),
    )
    return Table(
        "certification_rubrics",
        "One row for each skill of a version of the certification rubric.",
        (
            Column("rubric_version", "varchar", "Version of the rubric."),
            Column("skill", "varchar", "The skill."),
            Column("skill_title", "varchar", "The skill in words."),
            Column("kit_name", "varchar", "The kit that scores it."),
            Column("brick_key", "varchar", "The brick that scores it."),
            Column("threshold_percent", "double", "Enough, from 0 to 100 of the brick's scale."),
            Column("calls_needed", "integer", "So many calls at or above the threshold."),
            Column("valid_from", "date", "In force from this day on."),
        ),
        ("rubric_version", "skill"),
        tuple(
            ("v2.1", skill, title, "coaching_skills", brick, threshold, 5, date(2025, 6, 2))
            for skill, title, brick, threshold in skills
        ),
    )


def _skill_thresholds(_: _Span) -> Table:
    return Table(
        "skill_thresholds",
        "One row for each skill that is watched: when a coach is called, where newcomers must be.",
        (
            Column("skill", "varchar", "The skill."),
            Column("kit_name", "varchar", "The kit that scores it."),
            Column("brick_key", "varchar", "The brick that scores it."),
            Column("alert_below", "double", "Below this, of 0 to 1, a call counts as poor."),
            Column("alert_after_calls", "integer", "So many poor calls in a row are an alert."),
            Column("ramp_percent", "double", "Where a newcomer must be, from 0 to 100."),
            Column("ramp_week", "integer", "By the end of this week of work."),
        ),
        ("skill",),
        tuple(
            (skill, "coaching_skills", brick, 0.6, 3, 65.0, 6)
            for skill, brick in (
                ("objection_handling", "objection_handling_score"),
                ("value_articulation", "value_articulation_clarity"),
                ("discovery", "discovery_score"),
                ("closing", "closing_score"),
            )
        ),
    )


def _hr_attrition(span: _Span) -> Table:
    return Table(
        "hr_attrition",
        "One row for each employment that ended; known only from that day on.",
        (
            Column("user_id", "varchar", "The employment's id in the CRM."),
            Column("vendor", "varchar", "The platform that this person talked on."),
            Column("vendor_user_id", "varchar", "The person's id there."),
            Column("left_on", "date", "First day without work."),
            Column("reason", "varchar", "As told to HR."),
        ),
        ("user_id",),
        tuple(
            (
                _user_id(person), person.vendor, vendor_user_id(person.vendor, person.name),
                person.leaves_on, "resigned",
            )
            for person in span.employees
            if person.leaves_on is not None and person.leaves_on <= span.until
        ),
    )  # fmt: skip


def _csat(call: Call, seed: int) -> int:
    """The mark that the customer gives: by what was solved, how warmly, and their temper."""
    reading = Reading.of([{"speaker": "", "text": turn.text} for turn in call.turns])
    warmth, risk = empathy(reading).value, escalation(reading).value
    if not isinstance(warmth, float) or not isinstance(risk, float):
        raise TypeError("empathy and escalation are scores")
    mood = Random(f"{seed}|csat|{call.id}").uniform(-0.18, 0.18)
    solved = resolution(reading).value is True
    happy = 0.4 * solved + 0.35 * warmth + 0.25 * (1 - risk) + mood
    return min(5, max(1, 1 + math.floor(5 * happy)))


def _csat_surveys(span: _Span) -> Table:
    rows: list[Row] = []
    for call in span.calls("callminer"):
        rng = Random(f"{span.seed}|survey|{call.id}")
        if rng.random() < SURVEYED:
            day = call.started_at.date() + timedelta(days=rng.choice((0, 0, 1, 1, 2, 4)))
            rows.append((call.vendor, call.id, _csat(call, span.seed), day))
    return Table(
        "csat_surveys",
        "One row for each conversation that the customer was asked about and answered.",
        (
            Column("vendor", "varchar", "The platform of the conversation."),
            Column("conversation_id", "varchar", "Its id there, as it lands."),
            Column("score_of_five", "integer", "1 to 5, 5 is best."),
            Column("answered_on", "date", "When the customer answered."),
        ),
        ("vendor", "conversation_id"),
        tuple(rows),
    )


def _qualification_signals(_: _Span) -> Table:
    signals = (
        ("budget_confirmed", "Budget confirmed", "deal_signals", 3, True, True),
        ("decision_maker_present", "Decision maker identified", "deal_signals", 3, True, True),
        ("pain_quantified", "Pain quantified", "qualification", 2, True, True),
        ("technical_fit_validated", "Technical fit validated", "qualification", 2, True, False),
        ("champion_identified", "Champion identified", "qualification", 2, True, False),
        ("legal_review_scheduled", "Legal review scheduled", "qualification", 1, False, True),
        ("security_questionnaire_sent", "Security questionnaire sent", "qualification", 1,
         False, True),
        ("legal_concerns_raised", "Legal concerns raised", "qualification", 1, True, False),
        ("security_review_needed", "Security review needed", "qualification", 1, True, False),
    )  # fmt: skip
    return Table(
        "qualification_signals",
        "One row for each signal that a deal of a type should show.",
        (
            Column("deal_type", "varchar", "The type of deal."),
            Column("signal", "varchar", "The signal: its brick's name."),
            Column("signal_title", "varchar", "The signal in words."),
            Column("kit_name", "varchar", "The kit that finds it."),
            Column("readiness_weight", "double", "Its weight for being ready to close."),
            Column("counts_for_coverage", "boolean", "Whether a well qualified deal shows it."),
            Column("counts_for_readiness", "boolean", "Whether a deal ready to close shows it."),
        ),
        ("deal_type", "signal"),
        tuple(("new_business", key, title, kit, float(weight), coverage, readiness)
              for key, title, kit, weight, coverage, readiness in signals),
    )  # fmt: skip


def _framework_steps(_: _Span) -> Table:
    rows: list[Row] = []
    for letter, framework, kit, prefix, parts in (
        ("A", documents.MEDDICC_FRAMEWORK, "methodology_meddicc", "", documents.MEDDICC_ELEMENTS),
        ("B", documents.SPICED_FRAMEWORK, "methodology_spiced", "step_", documents.SPICED_STEPS),
    ):
        rows += [
            (framework, letter, kit, number, step, title, f"{prefix}{step}")
            for number, (step, title) in enumerate(parts.items(), 1)
        ]
    return Table(
        "framework_steps",
        "One row for each step or element of a way of selling.",
        (
            Column("framework", "varchar", "The framework and its version."),
            Column("framework_letter", "varchar", "A or B, as in framework_a_score."),
            Column("kit_name", "varchar", "The kit that checks it."),
            Column("step_number", "integer", "1 for the first step."),
            Column("step", "varchar", "The step, as deviation and steps_skipped name it."),
            Column("step_title", "varchar", "The step in words."),
            Column("brick_key", "varchar", "The brick that says whether it was followed."),
        ),
        ("framework", "step_number"),
        tuple(rows),
    )


def _stage_probabilities(_: _Span) -> Table:
    chances = {
        "Discovery": 0.1, "Demo": 0.25, "Proposal": 0.5, "Negotiation": 0.75,
        "Closed Won": 1.0, "Closed Lost": 0.0,
    }  # fmt: skip
    return Table(
        "stage_probabilities",
        "One row for each stage: how often a deal in it is won, by the CRM's settings.",
        (
            Column("stage", "varchar", "The stage."),
            Column("stage_number", "integer", "1 for the first one."),
            Column("win_probability", "double", "From 0 to 1."),
        ),
        ("stage",),
        tuple((stage, number, chance) for number, (stage, chance) in enumerate(chances.items(), 1)),
    )


def _alert_routes(_: _Span) -> Table:
    return Table(
        "alert_routes",
        "One row for each rule that raises an alert, with who gets it.",
        (
            Column("rule", "varchar", "Name of the rule."),
            Column("rule_title", "varchar", "What a message calls it, such as Risk."),
            Column("kit_name", "varchar", "The kit whose answer decides."),
            Column("brick_key", "varchar", "The brick that decides."),
            Column(
                "alert_below", "double",
                "Alert when the brick is below this, from 0 to 1; empty: when it is true.",
            ),
            Column(
                "score_brick_key", "varchar",
                "The brick of the same kit that a message gives as the score.",
            ),
            Column("recipient", "varchar", "Channel or address that gets the alert."),
            Column("team", "varchar", "The team behind it."),
        ),
        ("rule",),
        (
            (
                "deal_risk", "Risk", "deal_signals", "risk_flag", None, "overall_score",
                "#deal-alerts", "Revenue Operations",
            ),
            (
                "low_compliance", "Low compliance", "interaction_quality", "compliance_score", 0.7,
                "compliance_score", "#compliance-alerts", "Compliance",
            ),
        ),
    )  # fmt: skip


_MAKERS: Sequence[Callable[[_Span], Table]] = (
    _crm_users,
    _crm_accounts,
    _crm_contacts,
    _crm_opportunities,
    _cadences,
    _cadence_steps,
    _cadence_activities,
    _enablement_events,
    _training_events,
    _grounding_documents,
    _grounding_facts,
    _rate_card,
    _discount_authority,
    _compliance_rules,
    _battlecards,
    _battlecard_claims,
    _certification_rubrics,
    _skill_thresholds,
    _hr_attrition,
    _csat_surveys,
    _qualification_signals,
    _framework_steps,
    _stage_probabilities,
    _alert_routes,
)
