"""Makes the calls of "Northwind Signal", a software company that does not exist.

``generate`` gives the calls of all vendors. A call is made from its vendor, its day and its
number on that day, and from nothing else: other limits give more calls or fewer, never other
ones, so the world only grows as time passes.

What the people say follows from who they are. A rep's skill comes from talent, from the weeks
on the job (new reps ramp up for eight weeks) and from wear: six seats change hands every 24
weeks, and who sits there burns out over the last eight. Skill decides how openly a rep asks,
how warm an answer is, whether the recording is disclosed, and whether a next step is fixed.
What customers say follows from their deal: its budget, decider, date and competitor, which also
decide whether it is won.

To that ``stories`` adds what is claimed, quoted and left out, by what stands in ``documents``;
``reference`` gives the tables about the same company that are not conversations.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from random import Random
from typing import Any, Literal

from semarize_sandbox import company_texts as texts
from semarize_sandbox import documents, stories
from semarize_sandbox.model import VENDORS, Call, Person, Turn
from semarize_sandbox.wire import digits, fingerprint, hexadecimal

Channel = Literal["voice", "chat", "email", "video"]
Direction = Literal["inbound", "outbound", "unknown"]

DOMAIN = "northwind-signal.example.com"
EPOCH = date(2024, 1, 1)
CALLS_PER_DAY = 5.2
WEEKEND_SHARE = 0.15
MOST_CALLS_PER_DAY = 5_000
SALES_VENDORS = tuple(vendor for vendor in VENDORS if vendor != "callminer")

TENURE_DAYS = 168
RAMP_DAYS = 56
BURNOUT_DAYS = 56
SHORTEST_SECONDS = 180.0
LONGEST_SECONDS = 2400.0

TEAMS: Mapping[str, tuple[str, str]] = {
    # vendor: (team, manager)
    "gong": ("Enterprise", "Ottoline Marsh"),
    "salesloft": ("Outbound", "Rafael Quint"),
    "clari_copilot": ("Mid-Market", "Ingrid Vossen"),
    "chorus": ("Customer Growth", "Tendai Moyo"),
    "callminer": ("Customer Care", "Beatrix Olander"),
}
SEATS: Mapping[str, tuple[str, ...]] = {
    "gong": ("Maya Lindqvist", "Tom Archer", "Priya Nambiar", "Luc Desrosiers", ""),
    "salesloft": ("Jake Rowntree", "Sarah Okonjo", "Wen Castellan", "", ""),
    "clari_copilot": ("James Aldous", "Freya Holm", "Mateo Brisa", ""),
    "chorus": ("Nadia Petrov-Lang", "Owen Tallis", "Zoë Marchetti", "Kwame Adeyemi"),
    "callminer": ("Ruth Amsel", "Dev Malhotra", "Clara Winding", "Samir Haddad-Roy", "", ""),
}
"""Who sits where; an empty name is a seat that changes hands."""

SUCCESSORS = (
    "Bram Oyelaran", "Celia Normand", "Dario Vettel-Ross", "Esme Whitlock", "Faisal Durrani",
    "Gwen Abernathy", "Hugo Sandoval", "Iris Kowalczyk", "Jonah Steadman", "Keiko Farrow",
    "Leif Brannigan", "Mona Achterberg", "Nico Balfour", "Orla Devereux", "Paolo Zanetti-Hall",
    "Quinn Ashdown", "Rosa Ilunga", "Stellan Gray", "Tessa Verhoeven", "Umar Castellanos",
    "Vera Lockhart", "Wyatt Obi", "Xenia Drummond", "Yusuf Harcourt",
)  # fmt: skip

FIRST_NAMES = (
    "Adaeze", "Benedikt", "Catalina", "Dmitri", "Eleanor", "Farid", "Gabriela", "Henrik",
    "Isolde", "João", "Katarzyna", "Łukasz", "Margit", "Ngozi", "Oskar", "Paloma", "Quentin",
    "Renata", "Søren", "Thandiwe", "Ulrike", "Vikram", "Winifred", "Ximena", "Yaw", "Zdenka",
    "Aurelio", "Brigid", "Caspian", "Delphine", "Emeka", "Fenella", "Giles", "Hana", "Ivo",
    "Juniper", "Kerem", "Linnea", "Marek", "Noor",
)  # fmt: skip
LAST_NAMES = (
    "Abara", "Birkenfeld", "Carvalho", "Dunmore", "Eskildsen", "Fontaine", "Grzywacz",
    "Hollander", "Iversen", "Jankowska", "Kestrel", "Lambrecht", "Montague", "Nguyễn",
    "O'Hara", "Pettersen", "Quaye", "Rosenthal", "Szabó", "Tremblay", "Urquhart", "Valdés",
    "Wetherby", "Yamashiro", "Zeller", "Ashgrove", "Bellweather", "Corrigan", "Dahlgren",
    "Fairweather",
)  # fmt: skip
JOB_TITLES = (
    "Head of Operations", "Operations Manager", "CFO", "IT Director", "Procurement Lead",
    "VP Operations", "Controller", "Regional Manager", "Service Manager",
)  # fmt: skip

ACCOUNT_NAMES: Mapping[str, tuple[str, ...]] = {
    "logistics": (
        "Harbourline Freight", "Pinecrest Haulage", "Tallow & Reed Shipping", "Greywater Lines",
        "Copperfield Parcel", "Longbarn Logistics", "Saltmarsh Carriers", "Overland Nine",
    ),
    "healthcare": (
        "Willowmere Clinics", "Brightwater Care", "St Alder Health", "Meadowlark Dental",
        "Fernhill Diagnostics", "Cedar & Vale Hospitals", "Lanternhouse Care", "Rowan Therapy",
    ),
    "retail": (
        "Thistle & Twine", "Bluegate Grocers", "Marlowe Outfitters", "Oddfellow Books",
        "Juniper Home", "Paper Moon Stores", "Kettle & Crumb", "Northgate Hardware",
    ),
    "manufacturing": (
        "Ironbridge Castings", "Vellum Plastics", "Arkwright Bearings", "Cinderford Steel",
        "Halden Packaging", "Tarn Valley Tools", "Quarry Hill Ceramics", "Sable Textiles",
    ),
    "energy": (
        "Windrush Energy", "Tidewell Power", "Highmoor Grid", "Solstice Utilities",
        "Peat & Ember Heating", "Clearbrook Water", "Fallow Solar",
    ),
    "hospitality": (
        "Gull Rock Hotels", "The Amberley Group", "Foxglove Inns", "Lakehouse Resorts",
        "Nightjar Hostels", "Sandpiper Stays", "Elmtree Suites",
    ),
    "insurance": (
        "Keystone Mutual Example", "Fairhaven Cover", "Bastion Underwriting", "Plover Insurance",
        "Granary Mutual", "Larkspur Life", "Stonecrop Assurance",
    ),
    "education": (
        "Ashdown Colleges", "Millrace Academy", "Bellhaven University", "Orchard Learning",
        "Kingsfold Schools", "Tern Institute", "Westering Online",
    ),
}  # fmt: skip

TERRITORIES = ("Northeast", "Southeast", "West", "Central")
COMPETITOR_SHARE: Mapping[str, float] = {
    "Northeast": 0.78, "Southeast": 0.36, "West": 0.25, "Central": 0.46,
}  # fmt: skip
SEGMENTS = ("enterprise", "mid-market", "small business")
STAGES = ("Discovery", "Demo", "Proposal", "Negotiation", "Closed")
STAGE_ENDS = (0.22, 0.45, 0.65, 0.9)

CADENCES: Mapping[str, int] = {
    # name: steps
    "Enterprise Outbound v3": 5,
    "Mid-Market Nurture v2": 4,
    "Inbound Follow-up": 3,
    "Event Follow-up": 4,
}
LEAKY_STEP = ("Enterprise Outbound v3", 4)
"""A step whose script tempts reps into promises and the competitor's prices."""

Kind = Literal[
    "discovery", "demo", "pricing", "negotiation", "renewal",
    "billing", "outage", "how_to", "cancellation",
]  # fmt: skip
STAGE_KINDS: Mapping[str, tuple[Kind, ...]] = {
    "Discovery": ("discovery", "discovery", "demo"),
    "Demo": ("demo", "demo", "discovery"),
    "Proposal": ("pricing", "pricing", "demo"),
    "Negotiation": ("negotiation", "negotiation", "pricing"),
    "Closed": ("renewal", "renewal", "discovery"),
}
SUPPORT_KINDS: Mapping[Kind, float] = {
    "billing": 0.32, "how_to": 0.30, "outage": 0.24, "cancellation": 0.14,
}  # fmt: skip
CHANNELS: Mapping[Channel, float] = {"voice": 0.55, "chat": 0.25, "email": 0.15, "video": 0.05}
QUEUES: Mapping[Kind, str] = {
    "billing": "Billing",
    "outage": "Technical",
    "how_to": "Product help",
    "cancellation": "Retention",
}
TITLES: Mapping[Kind, tuple[str, ...]] = {
    "discovery": ("{account} <> Northwind Signal: first conversation", "Discovery: {account}",
                  "Intro call with {customer} ({account})", "{account} - how they work today"),
    "demo": ("{product} demo for {account}", "Demo - {account}", "{account}: product walkthrough",
             "{customer} + Northwind Signal: {product} in practice"),
    "pricing": ("{account} - pricing", "Quote review with {customer}", "{account}: proposal call"),
    "negotiation": ("{account} - contract and terms", "Redlines with {account}",
                    "{account}: last open points"),
    "renewal": ("{account} renewal", "Business review: {account}", "{account} - renewal and usage"),
    "billing": ("Billing question, {account}", "Invoice query"),
    "outage": ("{product} not available, {account}", "Incident report"),
    "how_to": ("How-to: {product}", "Question about {product}, {account}"),
    "cancellation": ("Cancellation request, {account}", "Contract change"),
}  # fmt: skip

WARMTH: Mapping[Channel, float] = {"voice": 1.0, "video": 1.0, "email": 0.78, "chat": 0.45}


@dataclass(frozen=True, slots=True, kw_only=True)
class Employee:
    """A rep or an agent; ``talent`` is 0 to 1, ``leaves_on`` None where nobody plans to leave."""

    name: str
    email: str
    vendor: str
    team: str
    manager: str
    territory: str
    hired_on: date
    leaves_on: date | None
    talent: float

    def weeks_on_the_job(self, on: date) -> int:
        return (on - self.hired_on).days // 7

    def wear(self, on: date) -> float:
        """How burned out they are: 0 until the last eight weeks, then rising to 1."""
        if self.leaves_on is None:
            return 0.0
        return min(1.0, max(0.0, 1 - (self.leaves_on - on).days / BURNOUT_DAYS))

    def skill(self, on: date) -> float:
        """Talent as it shows on that day: less in the first weeks and when burned out."""
        ramp = 0.45 + 0.55 * min(1.0, (on - self.hired_on).days / RAMP_DAYS)
        return self.talent * ramp * (1 - 0.55 * self.wear(on))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Somebody who works for a customer."""

    name: str
    email: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A customer or one that could become one."""

    id: str
    position: int
    name: str
    industry: str
    territory: str
    segment: str
    contacts: tuple[Contact, ...]

    @property
    def state(self) -> str:
        """The state of the United States that they call from."""
        states = documents.STATES[self.territory]
        return states[fingerprint("state", self.name) % len(states)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """An opportunity with an account, and the truth about it that calls let through."""

    id: str
    account: Account
    name: str
    product: str
    amount: int
    seats: int
    opened_on: date
    closes_on: date
    has_budget: bool
    has_decider: bool
    competitor: str | None
    at_risk: bool
    urgency: Literal["none", "low", "medium", "high"]
    won: bool

    def stage(self, on: date) -> str:
        passed = (on - self.opened_on).days / max(1, (self.closes_on - self.opened_on).days)
        for name, end in zip(STAGES, STAGE_ENDS, strict=False):
            if passed < end:
                return name
        return STAGES[-1]


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", _ascii(name).lower()).strip("-")


_ASCII = str.maketrans("ëãŁłøéóễ", "eaLloeoe")


def _ascii(name: str) -> str:
    return name.translate(_ASCII)


def _email(name: str, domain: str) -> str:
    return f"{_slug(name).replace('-', '.', 1)}@{domain}"


def email_of(name: str) -> str:
    """The address of somebody who works for the company."""
    return _email(name, DOMAIN)


def salesforce_id(prefix: str, *parts: str) -> str:
    """An id as Salesforce makes them: 15 characters, and three that guard their case."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    number = fingerprint(prefix, *parts)
    body = prefix
    while len(body) < 15:
        number, rest = divmod(number, len(alphabet))
        body += alphabet[rest]
    check = ""
    for start in (0, 5, 10):
        bits = sum(1 << i for i, sign in enumerate(body[start : start + 5]) if sign.isupper())
        check += "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[bits]
    return body + check


@lru_cache(maxsize=8)
def accounts(seed: int = 7) -> tuple[Account, ...]:
    """The customers and prospects, always the same for a seed."""
    made: list[Account] = []
    for industry, names in ACCOUNT_NAMES.items():
        for name in names:
            rng = Random(f"{seed}|account|{name}")
            domain = f"{_slug(name)}.example.com"
            people = [
                f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
                for _ in range(rng.randint(2, 4))
            ]
            made.append(
                Account(
                    id=salesforce_id("001", str(seed), name),
                    position=len(made),
                    name=name,
                    industry=industry,
                    territory=rng.choice(TERRITORIES),
                    segment=rng.choice(SEGMENTS),
                    contacts=tuple(
                        Contact(name=person, email=_email(person, domain), title=title)
                        for person, title in zip(
                            dict.fromkeys(people), rng.sample(JOB_TITLES, 4), strict=False
                        )
                    ),
                )
            )
    return tuple(made)


@lru_cache(maxsize=4096)
def deal(account: Account, number: int, seed: int = 7) -> Deal:
    """An account's opportunity of that number; they follow one another from ``EPOCH`` on."""
    pace = Random(f"{seed}|pace|{account.name}")
    cycle = pace.randint(100, 160)
    offset = pace.randint(0, cycle)
    rng = Random(f"{seed}|deal|{account.name}|{number}")
    opened = EPOCH + timedelta(days=number * cycle - offset)
    seats = rng.choice((25, 40, 60, 80, 120, 200, 350))
    has_budget = rng.random() < 0.5
    has_decider = rng.random() < 0.5
    # Spread evenly instead of drawn, or a region of fifteen accounts would miss its share.
    rival = (account.position * 0.618 + number * 0.755) % 1 < COMPETITOR_SHARE[account.territory]
    at_risk = rng.random() < 0.25
    chance = 0.25 + 0.25 * has_budget + 0.2 * has_decider - 0.12 * rival - 0.2 * at_risk
    product = rng.choice(texts.PRODUCTS)
    return Deal(
        id=salesforce_id("006", str(seed), account.name, str(number)),
        account=account,
        name=f"{account.name} - {product}",
        product=product,
        amount=seats * rng.choice((240, 300, 360, 420)),
        seats=seats,
        opened_on=opened,
        closes_on=opened + timedelta(days=round(cycle * rng.uniform(0.6, 0.95))),
        has_budget=has_budget,
        has_decider=has_decider,
        competitor=rng.choice(texts.COMPETITORS) if rival else None,
        at_risk=at_risk,
        urgency=rng.choice(("none", "low", "medium", "high")),
        won=rng.random() < chance,
    )


def deal_on(account: Account, on: date, seed: int = 7) -> Deal:
    """The account's opportunity of that day: open, or the last one that closed."""
    number = 0
    while deal(account, number + 1, seed).opened_on <= on:
        number += 1
    return deal(account, number, seed)


def deals(since: date, until: date, seed: int = 7) -> list[Deal]:
    """All opportunities that were the current one of their account on some day of the span."""
    found: list[Deal] = []
    for account in accounts(seed):
        number = 0
        while (current := deal(account, number, seed)).opened_on <= until:
            if deal(account, number + 1, seed).opened_on > since:
                found.append(current)
            number += 1
    return found


@lru_cache(maxsize=4096)
def employee(vendor: str, seat: int, on: date, seed: int = 7) -> Employee:
    """Who sits in that seat on that day."""
    team, manager = TEAMS[vendor]
    name = SEATS[vendor][seat]
    hired_on = EPOCH - timedelta(days=fingerprint(vendor, str(seat)) % 900 + 60)
    leaves_on = None
    if not name:
        # The seats that change hands are spread over the tenure, so that at any time somebody
        # is new and somebody is worn out.
        changing = [(v, s) for v in VENDORS for s, n in enumerate(SEATS[v]) if not n]
        position = changing.index((vendor, seat))
        shift = position * TENURE_DAYS // len(changing)
        generation = ((on - EPOCH).days + shift) // TENURE_DAYS
        hired_on = EPOCH + timedelta(days=generation * TENURE_DAYS - shift)
        leaves_on = hired_on + timedelta(days=TENURE_DAYS)
        name = SUCCESSORS[(position + len(changing) * generation) % len(SUCCESSORS)]
    rng = Random(f"{seed}|employee|{name}")
    talents = (0.95, 0.7, 0.85, 0.4, 0.6, 0.8)
    return Employee(
        name=name,
        email=email_of(name),
        vendor=vendor,
        team=team,
        manager=manager,
        territory=TERRITORIES[seat % len(TERRITORIES)],
        hired_on=hired_on,
        leaves_on=leaves_on,
        talent=round(talents[seat % len(talents)] + rng.uniform(-0.05, 0.05), 3),
    )


def employees(on: date, seed: int = 7) -> list[Employee]:
    """Everybody who works on that day."""
    return [
        employee(vendor, seat, on, seed) for vendor in VENDORS for seat in range(len(SEATS[vendor]))
    ]


_CHOICE = re.compile(r"\[([^\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")
_SENTENCE_START = re.compile(r"(?:^|(?<=[.?!] ))[a-z]")


class _Script:
    """Writes the turns of one call, never using a fragment twice in it."""

    def __init__(self, rng: Random, slots: Mapping[str, str]) -> None:
        self.rng = rng
        self.slots = slots
        self.turns: list[tuple[Person, str]] = []
        self.cut_in: set[int] = set()
        self._used: set[str] = set()

    def pick(self, lines: Sequence[str]) -> str:
        """One fragment, filled; a fresh one while there is one."""
        fresh = [line for line in lines if line not in self._used] or list(lines)
        line = self.rng.choice(fresh)
        self._used.add(line)
        return self.fill(line)

    def match(self, *series: Sequence[str]) -> list[tuple[str]]:
        """The fragments of one position in all series, for a question and its own answer."""
        position = self.rng.randrange(max(len(lines) for lines in series))
        return [(lines[position % len(lines)],) for lines in series]

    def fill(self, line: str) -> str:
        rng, slots = self.rng, self.slots

        def chosen(match: re.Match[str]) -> str:
            wordings: list[str] = match[1].split("|")
            return rng.choice(wordings)

        def filled(match: re.Match[str]) -> str:
            name = match[1]
            return slots[name] if name in slots else rng.choice(texts.POOLS[name])

        while "{" in line or "[" in line:
            line = _SLOT.sub(filled, _CHOICE.sub(chosen, line))
        return _SENTENCE_START.sub(lambda match: match[0].upper(), line)

    def say(self, who: Person, *pieces: Sequence[str]) -> None:
        """One turn of one person, of one fragment from each piece; empty pieces are skipped."""
        text = " ".join(self.pick(piece) for piece in pieces if piece)
        if self.turns and self.turns[-1][0] is who:
            self.turns[-1] = (who, f"{self.turns[-1][1]} {text}")
        else:
            self.turns.append((who, text))

    def interrupt(self, who: Person, *pieces: Sequence[str]) -> None:
        """A turn that begins before the other has finished."""
        self.say(who, *pieces)
        self.cut_in.add(len(self.turns) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cast:
    """Who is on a call, and how well the rep does today."""

    rep: Person
    customers: tuple[Person, ...]
    good: float
    wear: float
    target: int


def _sales_turns(
    script: _Script, cast: _Cast, kind: Kind, current: Deal, temptation: float
) -> None:
    rng, rep = script.rng, cast.rep
    pending: Sequence[str] = ()

    def good() -> bool:
        return rng.random() < cast.good

    def customer() -> Person:
        if len(cast.customers) > 1 and rng.random() < 0.25:
            return cast.customers[1]
        return cast.customers[0]

    def topic(name: str) -> None:
        nonlocal pending
        about = texts.TOPICS[name]
        who = customer()
        if not good():
            script.say(rep, pending, about.closed)
            script.say(who, about.thin)
            pending = ()
            if rng.random() < 0.45:
                script.interrupt(rep, texts.SALES["pitch"])
                script.say(who, texts.SALES["accept"])
            return
        asked, answer = script.match(about.open, about.rich)
        script.say(rep, pending, asked)
        script.say(who, answer)
        asked, answer = script.match(about.probe, about.detail)
        script.say(rep, texts.SALES["ack" if good() else "neutral"], asked)
        script.say(who, answer)
        pending = texts.SALES["ack" if good() else "neutral"]

    def objection(about: texts.Objection) -> None:
        nonlocal pending
        if pending:
            script.say(rep, pending)
            pending = ()
        who = customer()
        raised, met, settled = script.match(
            about.raised, about.good if good() else about.poor, about.settled
        )
        script.say(who, raised)
        script.say(rep, met)
        script.say(who, settled)

    def question() -> None:
        nonlocal pending
        if pending:
            script.say(rep, pending)
            pending = ()
        who = customer()
        asked, answer = rng.choice(texts.QUESTIONS)
        script.say(who, (asked,))
        script.say(rep, (answer,) if good() else texts.SALES["answer_poor"])
        script.say(who, texts.SALES["accept"])

    def rival() -> None:
        nonlocal pending
        if pending:
            script.say(rep, pending)
            pending = ()
        who = customer()
        script.say(who, texts.SALES["competitor"])
        fair = good() and rng.random() > temptation
        script.say(rep, texts.SALES["competitor_good" if fair else "competitor_poor"])
        script.say(who, texts.SALES["competitor_reply"])

    def promise() -> None:
        nonlocal pending
        script.say(rep, pending, texts.SALES["overpromise"])
        script.say(customer(), texts.SALES["doubt"])
        pending = ()

    def demo_part(number: int) -> None:
        nonlocal pending
        shown, reply = script.match(*texts.DEMO[number])
        script.say(rep, pending, shown)
        script.say(customer(), reply)
        pending = texts.SALES["ack" if good() else "pitch"] if rng.random() < 0.5 else ()

    script.say(rep, texts.OPENING["greet" if good() else "greet_poor"])
    script.say(customer(), texts.OPENING["greeted"])
    if rng.random() < 0.35:
        script.say(rep, texts.OPENING["chat"])
        script.say(customer(), texts.SALES["accept"])
    if rng.random() < 0.15 + 0.83 * cast.good:
        script.say(rep, texts.OPENING["recorded"])
        script.say(customer(), texts.OPENING["recorded_reply"])
    if good():
        script.say(rep, texts.OPENING["agenda"])
        script.say(customer(), texts.OPENING["agenda_reply"])

    topics = list(texts.TOPICS)
    rng.shuffle(topics)
    parts: list[Any] = []
    if kind == "discovery":
        parts = [(topic, name) for name in topics]
    elif kind == "demo":
        parts = [(demo_part, number) for number in range(len(texts.DEMO))]
        parts = parts[: rng.randint(4, len(parts))]
        parts += [(question, None), (topic, topics[0]), (question, None), (topic, topics[1])]
    else:
        group = list(texts.OBJECTIONS[kind])
        rng.shuffle(group)
        first = {"pricing": "budget", "negotiation": "decision", "renewal": "success"}[kind]
        parts = [(topic, first)] + [(objection, about) for about in group]
        parts += [(topic, name) for name in topics if name != first][:4]
    general = list(texts.OBJECTIONS["general"])
    for extra in ((question, None), (objection, rng.choice(general))):
        if rng.random() < 0.5:
            parts.insert(rng.randint(1, len(parts)), extra)
    if current.competitor is not None and rng.random() < 0.6:
        parts.insert(rng.randint(1, min(4, len(parts))), (rival, None))
    for _ in range(2):
        if rng.random() < (1 - cast.good) * 0.45 + temptation:
            parts.insert(rng.randint(1, min(4, len(parts))), (promise, None))

    ending = 8
    for part, argument in parts:
        if len(script.turns) + ending >= cast.target:
            break
        part() if argument is None else part(argument)
    if current.at_risk and rng.random() < 0.5:
        script.say(cast.customers[0], texts.RISKS)
        script.say(rep, texts.SALES["ack" if good() else "neutral"])
        pending = ()
    if rng.random() < cast.good * 0.85:
        script.say(rep, pending, texts.SALES["summary"])
        script.say(cast.customers[0], texts.SALES["summary_reply"])
        pending = ()
    kept = rng.random() < 0.1 + 0.8 * cast.good
    script.say(rep, pending, texts.SALES["next_step" if kept else "next_step_vague"])
    script.say(cast.customers[0], texts.SALES["next_step_yes" if kept else "next_step_no"])
    script.say(rep, texts.SALES["bye"])
    script.say(cast.customers[0], texts.SALES["byebye"])


def _support_turns(script: _Script, cast: _Cast, kind: Kind, channel: Channel) -> texts.Issue:
    rng, rep, customer = script.rng, cast.rep, cast.customers[0]
    words = texts.SUPPORT
    issue = rng.choice(texts.ISSUES[kind])
    spoken = channel in ("voice", "video")
    suffix = "" if spoken else f"_{channel}"
    warm = cast.good * WARMTH[channel]

    def kindness(again: bool = False) -> Sequence[str]:
        """What comes before the matter: warmth, nothing much, or what is worse."""
        draw = rng.random()
        if draw < warm:
            return words["empathy_again"] if again and spoken else words[f"empathy{suffix}"]
        if rng.random() < (1 - cast.good) * 0.3 + cast.wear * 0.2:
            return words["curt"]
        if rng.random() < cast.wear * 0.6:
            return words["tired"]
        return words["cold"] if rng.random() < 0.5 else ()

    if spoken:
        script.say(rep, words["greet" if rng.random() < cast.good else "greet_poor"])
        script.say(customer, words["greeted"], issue.problem)
    else:
        script.say(customer, issue.problem)
        script.say(rep, words[f"greet{suffix}"])
    disclosed = rng.random() < 0.25 + 0.74 * cast.good
    if disclosed:
        script.say(rep, kindness() if spoken else (), words[f"recorded{suffix}"])
        if spoken:
            script.say(customer, words["recorded_reply"])
    if rng.random() < 0.3 + 0.65 * cast.good:
        script.say(rep, words["verify"])
        script.say(customer, words["verified"])
        script.say(rep, words["ack_verified"], kindness())
    angry = rng.random() < (0.5 if kind in ("outage", "cancellation") else 0.28)
    if angry:
        script.say(customer, words["frustration"])
        script.say(rep, kindness() or words["cold"])
    more = list(texts.CHECKS[kind])
    for asked, answer in (*issue.checks, *rng.sample(more, len(more))):
        if len(script.turns) + 9 >= max(cast.target, 16):
            break
        script.say(rep, kindness(again=True), (asked,))
        script.say(customer, (answer,))
    while len(script.turns) + 9 < cast.target:
        script.say(rep, kindness(again=True), words["filler_rep"])
        if angry and rng.random() < 0.12:
            script.say(customer, words["frustration"])
        else:
            script.say(customer, words["filler_customer"])
    script.say(rep, issue.fix)
    solved = rng.random() < 0.3 + 0.6 * cast.good
    if solved:
        script.say(customer, words["resolved"])
    else:
        script.say(customer, words["unresolved"])
        script.say(rep, kindness(), words["ticket"])
        if angry or rng.random() < 0.25:
            script.say(customer, words["escalate"])
            calm = rng.random() < cast.good
            script.say(rep, words["escalate_good" if calm else "escalate_poor"])
        else:
            script.say(customer, words["shrug"])
    if rng.random() < cast.good:
        script.say(rep, words["recap"])
        script.say(customer, words["recap_reply"])
    script.say(rep, words["bye" if solved and rng.random() < cast.good else "bye_poor"])
    script.say(customer, words["byebye" if solved else "shrug"])
    return issue


def _weave(script: _Script, scene: stories.Scene) -> None:
    """Put the call's stories into its turns, without touching the draws that make the rest."""
    rng = Random(f"{scene.seed}|{scene.vendor}|{scene.day.isoformat()}|{scene.number}|stories")
    words = _Script(rng, {})

    def pick(lines: Sequence[str], slots: Mapping[str, str]) -> str:
        words.slots = {**script.slots, **slots}
        return words.pick(lines)

    stories.tell(scene, stories.Weaver(rng=rng, turns=script.turns, rep=scene.rep, pick=pick))


def _timed(
    script: _Script, channel: Channel, unlabelled: bool, rng: Random
) -> tuple[tuple[Turn, ...], float]:
    """The turns with their times, and how long the whole took."""
    clock = rng.uniform(0.5, 4.0)
    pause = rng.uniform(2.0, 24.0)
    spans: list[tuple[float, float]] = []
    for position, (_, text) in enumerate(script.turns):
        words = len(text) / 6
        if channel == "chat":
            clock += rng.uniform(12, 55)
            spans.append((clock, clock))
        elif channel == "email":
            clock += rng.uniform(90, 240)
            spans.append((clock, clock))
        else:
            if position in script.cut_in:
                clock = max(0.0, clock - rng.uniform(0.6, 1.8))
            else:
                clock += min(90.0, rng.expovariate(1 / pause)) + 0.2
            spoken = words / rng.uniform(1.7, 2.4)
            spans.append((clock, clock + spoken))
            clock += spoken
    end = max(end for _, end in spans) + rng.uniform(1.0, 6.0)
    scale = min(1.0, LONGEST_SECONDS / end) if end > SHORTEST_SECONDS else SHORTEST_SECONDS / end
    turns = tuple(
        Turn(
            None if unlabelled else person.id,
            round(start * scale, 2),
            round(finish * scale, 2),
            text,
        )
        for (person, text), (start, finish) in zip(script.turns, spans, strict=True)
    )
    return turns, float(round(max(end * scale, turns[-1].end_seconds) + 0.5))


def _call_id(vendor: str, seed: int, day: date, number: int) -> str:
    """An id in the vendor's style, unique per vendor."""
    count = (day - EPOCH).days * MOST_CALLS_PER_DAY + number
    if vendor == "gong":
        return "12345678"[count % 8] + digits(18, vendor, str(seed), str(count))
    if vendor == "salesloft":
        return str(31_000_000 + count * 3)
    if vendor == "clari_copilot":
        return f"cc-{1_000_000 + count}"
    if vendor == "callminer":
        return f"INT-{day:%Y%m%d}-{101 + number * 3:05d}"
    return hexadecimal(24, vendor, str(seed), str(count))


def customer_id(account: Account, seed: int) -> str:
    """How the service centre names an account."""
    return f"C-{digits(6, str(seed), account.name)}"


def person_id(vendor: str, email: str) -> str:
    """An id of a person as that vendor makes them."""
    if vendor == "gong":
        return "12345678"[len(email) % 8] + digits(18, email)
    if vendor == "callminer":
        return f"{'AGT' if email.endswith(DOMAIN) else 'CUS'}-{digits(5, email)}"
    if vendor == "clari_copilot":
        return hexadecimal(24, email).lower()
    return digits(7, vendor, email)


def _weighted(rng: Random, weights: Mapping[Any, float]) -> Any:
    return rng.choices(list(weights), list(weights.values()))[0]


def _outside_person(vendor: str, contact: Contact) -> Person:
    return Person(
        id=person_id(vendor, contact.email),
        name=contact.name,
        email=contact.email,
        role="customer",
        title=contact.title,
    )


def _mentions(script: _Script, words: Mapping[str, str]) -> dict[str, int]:
    text = "\n".join(said for _, said in script.turns).lower()
    counts = {name: text.count(word) for name, word in words.items()}
    return {name: count for name, count in counts.items() if count}


_TRACKERS: Mapping[str, str] = {
    "Pricing": "price", "Discount": "discount", "Budget": "budget", "Legal": "legal",
    "Security": "security", "Next steps": "calendar", "Onboarding": "onboarding",
    **{f"Competitor: {name}": name.lower() for name in texts.COMPETITORS},
}  # fmt: skip


def _make(vendor: str, seed: int, day: date, number: int, started_at: datetime) -> Call:
    rng = Random(f"{seed}|{vendor}|{day.isoformat()}|{number}")
    seats = len(SEATS[vendor])
    everyone = accounts(seed)
    account = everyone[rng.randrange(len(everyone))]
    # Most calls go to the rep who looks after the account, some to whoever is free.
    seat = account.position % seats if rng.random() < 0.7 else rng.randrange(seats)
    person = employee(vendor, seat, day, seed)
    current = deal_on(account, day, seed)
    stage = current.stage(day)
    support = vendor == "callminer"
    channel: Channel = "voice"
    kind: Kind
    if support:
        kind = _weighted(rng, SUPPORT_KINDS)
        channel = _weighted(rng, CHANNELS)
    else:
        kinds = STAGE_KINDS[stage]
        if vendor == "salesloft" and rng.random() < 0.5:
            kinds = ("discovery",)
        elif vendor == "chorus" and rng.random() < 0.3:
            kinds = ("renewal",)
        kind = rng.choice(kinds)
        if vendor != "salesloft" and rng.random() < 0.55:
            channel = "video"

    rep = Person(
        id=person_id(vendor, person.email),
        name=person.name,
        email=person.email,
        role="rep",
        title="Support Agent" if support else "Account Executive",
    )
    chosen = rng.sample(account.contacts, 2 if not support and rng.random() < 0.35 else 1)
    customers = tuple(_outside_person(vendor, contact) for contact in chosen)
    industry = texts.INDUSTRIES[account.industry]
    slots = {
        "company": texts.COMPANY,
        "account": account.name,
        "rep": person.name.split()[0],
        "manager": person.manager.split()[0],
        "customer": chosen[0].name.split()[0],
        "product": current.product,
        "product2": rng.choice([name for name in texts.PRODUCTS if name != current.product]),
        "competitor": current.competitor or rng.choice(texts.COMPETITORS),
        "amount": f"${current.amount:,}",
        "seats": str(current.seats),
        "things": industry.things,
        "process": industry.process,
        "staff": industry.staff,
        "metric": industry.metric,
        "places": industry.places,
        "budget_line": rng.choice(texts.BUDGET_YES if current.has_budget else texts.BUDGET_NO),
        "dm_line": rng.choice(texts.DECIDER if current.has_decider else texts.NO_DECIDER),
        "timeline_line": rng.choice(texts.URGENT[current.urgency]),
    }
    slots["meet_day"], slots["meet_time"] = (rng.choice(texts.POOLS[n]) for n in ("day", "time"))
    for fixed in ("old_tool", "system", "places_count", "reference", "digits", "browser", "error"):
        slots[fixed] = rng.choice(texts.POOLS[fixed])

    skill = person.skill(day)
    length = {"chat": (10, 26), "email": (8, 14)}.get(channel, (14, 44 if support else 58))
    cast = _Cast(
        rep=rep,
        customers=customers,
        good=min(0.97, 0.06 + 0.95 * skill),
        wear=person.wear(day),
        target=round(rng.triangular(length[0], length[1], length[0] + (length[1] - length[0]) / 3)),
    )
    script = _Script(rng, slots)
    scene = stories.Scene(
        vendor=vendor,
        day=day,
        kind=kind,
        channel=channel,
        rep=rep,
        customers=customers,
        employee=person,
        account=account,
        deal=current,
        stage=stage,
        good=cast.good,
        number=number,
        seed=seed,
    )
    extras: dict[str, Any] = {"team": person.team, "manager": person.manager}
    direction: Direction = "outbound"
    if support:
        issue = _support_turns(script, cast, kind, channel)
        _weave(script, scene)
        direction = "inbound" if rng.random() < 0.9 else "outbound"
        extras |= _support_extras(rng, account, kind, channel, issue, seed)
    else:
        cadence = rng.choice(list(CADENCES))
        step = rng.randint(1, CADENCES[cadence])
        leaky = vendor == "salesloft" and (cadence, step) == LEAKY_STEP
        _sales_turns(script, cast, kind, current, 0.35 if leaky else 0.0)
        if vendor == "salesloft":
            scene = replace(scene, cadence=cadence, leaky=leaky)
        _weave(script, scene)
        direction = "outbound" if rng.random() < 0.8 else "inbound"
        extras |= {"account_id": account.id, "opportunity_name": current.name}
        if vendor == "salesloft":
            extras |= {
                "cadence": cadence,
                "cadence_step": step,
                "deal_stage": stage,
                "disposition": rng.choice(("Connected", "Meeting booked", "Call back")),
                "outcome": rng.choice(("Interested", "Not now", "Follow-up", "Referred")),
                "tags": [kind, account.segment],
            }
        else:
            extras |= {"deal_stage": stage, "topics": _topics(kind, rng)}
            if vendor in ("gong", "chorus"):
                extras["trackers"] = _mentions(script, _TRACKERS)
                extras["tags"] = [kind, account.territory]
            if vendor == "clari_copilot":
                extras["outcome"] = rng.choice(("Advanced", "No change", "Slipped"))

    unlabelled = channel == "email" and rng.random() < 0.3
    turns, duration = _timed(script, channel, unlabelled, rng)
    listed_after = timedelta(0)
    if rng.random() < 0.03:
        listed_after = timedelta(minutes=rng.randint(60, 540))
    ready_after: timedelta | None = timedelta(0)
    if channel in ("voice", "video"):
        # Transcripts are made after the call: minutes to an hour and a half, some much later.
        slow = rng.random() < 0.04
        minutes = rng.randint(180, 720) if slow else rng.randint(5, 95)
        ready_after = timedelta(minutes=minutes)
    if rng.random() < 0.02:
        ready_after = None
    return Call(
        id=_call_id(vendor, seed, day, number),
        vendor=vendor,
        started_at=started_at,
        duration_seconds=duration,
        title=script.fill(rng.choice(TITLES[kind])),
        owner=rep,
        people=(rep, *customers),
        turns=turns,
        channel=channel,
        direction=direction,
        account_name=account.name,
        opportunity_id=None if support or rng.random() < 0.1 else current.id,
        private=vendor == "gong" and rng.random() < 0.04,
        listed_after=listed_after,
        ready_after=ready_after,
        extras=extras,
    )


def _support_extras(
    rng: Random, account: Account, kind: Kind, channel: Channel, issue: texts.Issue, seed: int
) -> dict[str, Any]:
    return {
        "queue": f"{QUEUES[kind]} {'phone' if channel in ('voice', 'video') else channel}",
        "campaign": rng.choice(("Standard care", "Standard care", "Premium care", "Win-back")),
        "wrap_up_codes": [issue.code, *(["FOLLOW-UP"] if rng.random() < 0.3 else [])],
        "disposition": rng.choice(("Resolved", "Resolved", "Pending", "Transferred")),
        "customer_id": customer_id(account, seed),
    }


def _topics(kind: Kind, rng: Random) -> list[str]:
    others = rng.sample(("Introduction", "Small talk", "Integration", "Security", "Roadmap"), 3)
    return [kind.capitalize(), *others[: rng.randint(1, 3)]]


def _starts(rng: Random, day: date, rate: float) -> list[datetime]:
    """When the calls of a day begin: working hours on weekdays, few at the week-end."""
    expected = rate * (WEEKEND_SHARE if day.weekday() >= 5 else rng.uniform(0.8, 1.2))
    count = int(expected) + (rng.random() < expected % 1)
    midnight = datetime.combine(day, time(), UTC)
    return sorted(
        midnight + timedelta(seconds=rng.randint(8 * 3600, 18 * 3600 - 1)) for _ in range(count)
    )


def generate(
    *,
    until: datetime,
    days: int = 30,
    seed: int = 7,
    calls_per_day: float | Mapping[str, float] = CALLS_PER_DAY,
    vendors: Sequence[str] = VENDORS,
) -> list[Call]:
    """The calls that started within ``days`` before ``until`` and have ended by then.

    ``calls_per_day`` is what a vendor sees on a working day (a mapping may name some vendors,
    the others keep the default); about 5 give some 120 calls in 30 days. Calls that ended just
    before ``until`` are mostly not ready yet, as ``Call.ready_at`` says.

    ``extras`` also holds ``opportunity_name``. In it ``trackers`` maps names to counts,
    ``topics``, ``tags`` and
    ``wrap_up_codes`` are lists of text, ``cadence_step`` is a number, the rest is text.
    """
    if until.tzinfo is None:
        raise ValueError("generate needs an aware moment; add tzinfo=UTC")
    until = until.astimezone(UTC)
    since = until - timedelta(days=days)
    calls: list[Call] = []
    for vendor in vendors:
        rate = (
            calls_per_day.get(vendor, CALLS_PER_DAY)
            if isinstance(calls_per_day, Mapping)
            else calls_per_day
        )
        if not 0 <= rate * 1.2 < MOST_CALLS_PER_DAY:
            raise ValueError(f"calls_per_day must lie between 0 and {MOST_CALLS_PER_DAY / 1.2:.0f}")
        for offset in range(days + 1):
            day = since.date() + timedelta(days=offset)
            starts = _starts(Random(f"{seed}|{vendor}|{day.isoformat()}"), day, rate)
            for number, started_at in enumerate(starts):
                if since <= started_at < until:
                    call = _make(vendor, seed, day, number, started_at)
                    if call.ended_at <= until:
                        calls.append(call)
    return calls
