"""What a call says beyond its plot, so that the numbers tell the stories a manager would know.

The truth of people, deals and documents decides what is said: who was trained when, which
version of a document a rep goes by, whether the deal is won, which step of which cadence it is.
Everything here is drawn from a random series of its own and woven into turns that are there
already, so that it changes no call's id, people, channel or start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import TYPE_CHECKING

from semarize_sandbox import documents
from semarize_sandbox import story_texts as texts
from semarize_sandbox.kits.interaction_quality import DISCLOSED
from semarize_sandbox.model import VENDORS, Person

if TYPE_CHECKING:
    from semarize_sandbox.company import Account, Deal, Employee

Turns = list[tuple[Person, str]]
Pick = Callable[[Sequence[str], Mapping[str, str]], str]
"""Fills one of some fragments, with slots beside those of the call."""

# How a deal's segment decides which framework can tell how it ends: the share of its points
# that are covered when the deal is won, and when it is lost.
MEDDICC_SHARES: Mapping[str, tuple[float, float]] = {
    "enterprise": (0.78, 0.30), "mid-market": (0.55, 0.47), "small business": (0.52, 0.42),
}  # fmt: skip
SPICED_SHARES: Mapping[str, tuple[float, float]] = {
    "enterprise": (0.62, 0.55), "mid-market": (0.85, 0.36), "small business": (0.60, 0.50),
}  # fmt: skip
# Of most lost deals nobody ever says how they are decided; reps shy away from dates and money.
LOST_UNDECIDED = 0.66
SHY_STEPS: Mapping[str, float] = {"critical_event": 0.6, "budget_qual": 0.5}

# Beside those who hesitate in the course of a talk about prices.
HESITATION: Mapping[str, float] = {
    "Northeast": 0.30, "Southeast": 0.10, "West": 0.02, "Central": 0.13,
}  # fmt: skip
BUYING: Mapping[str, float] = {
    "Enterprise Outbound v3": 0.3, "Mid-Market Nurture v2": 0.45, "Inbound Follow-up": 0.55,
    "Event Follow-up": 0.7,
}  # fmt: skip
SPECIFIC_PAIN: Mapping[str, float] = {
    "Enterprise Outbound v3": 0.75, "Mid-Market Nurture v2": 0.5, "Inbound Follow-up": 0.35,
    "Event Follow-up": 0.45,
}  # fmt: skip
LEAK_SHARE, LEAK_AT_LEAKY_STEP = 0.04, 0.32

SOME = (0, 1, 1, 1, 2, 2)
"""How many claims, or messages of the playbook, a call has."""
CLAIM_AREAS: Mapping[str, tuple[float, float]] = {
    # area: how often it comes up, how easily it is got wrong
    "api_limits": (0.28, 0.9), "enterprise_sso": (0.24, 0.75), "uptime_sla": (0.16, 0.3),
    "data_residency": (0.12, 0.35), "integrations": (0.14, 0.6), "roadmap": (0.06, 0.7),
}  # fmt: skip
SEGMENT_TIER = {"enterprise": "Enterprise", "mid-market": "Pro", "small business": "Essentials"}
GENEROUS = "Luc Desrosiers"
"""A rep who gives discounts that are not his to give."""

SIGNAL_PLATFORM: Mapping[str, str] = {
    # signal: the platform on which customers of this company tend to say it first
    "champion": "chorus", "technical_fit": "gong", "security_review": "gong",
    "security_form": "gong", "legal_review": "clari_copilot", "legal_concerns": "clari_copilot",
}  # fmt: skip
SIGNAL_STAGES: Mapping[str, tuple[str, ...]] = {
    "champion": ("Discovery", "Demo", "Proposal", "Negotiation", "Closed"),
    "technical_fit": ("Demo", "Proposal", "Negotiation", "Closed"),
    "security_review": ("Demo", "Proposal", "Negotiation"),
    "security_form": ("Proposal", "Negotiation", "Closed"),
    "legal_review": ("Proposal", "Negotiation", "Closed"),
    "legal_concerns": ("Proposal", "Negotiation"),
}

CLARITY: Mapping[str, float] = {"voice": 0.62, "video": 0.62, "chat": 0.52, "email": 0.75}
EASE: Mapping[str, float] = {"voice": 0.55, "video": 0.55, "chat": 0.45, "email": 0.65}
BRAND: Mapping[str, float] = {"voice": 0.65, "video": 0.65, "chat": 0.5, "email": 0.6}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is known of a call when its stories are told."""

    vendor: str
    day: date
    kind: str
    channel: str
    rep: Person
    customers: Sequence[Person]
    employee: Employee
    account: Account
    deal: Deal
    stage: str
    good: float
    number: int
    seed: int
    cadence: str | None = None
    leaky: bool = False


@dataclass(slots=True)
class Weaver:
    """Puts sentences into the turns of a call; ``pick`` gives a filled fragment."""

    rng: Random
    turns: Turns
    rep: Person
    pick: Pick

    def maybe(self, chance: float) -> bool:
        return self.rng.random() < chance

    def rep_says(self, lines: Sequence[str], **slots: str) -> None:
        """Somewhere in the middle of the call; before what that turn says, which may ask."""
        self._put(self._anywhere(of_rep=True), self.pick(lines, slots))

    def customer_says(self, lines: Sequence[str], who: Person | None = None, **slots: str) -> None:
        self._put(self._anywhere(of_rep=False, who=who), self.pick(lines, slots))

    def exchange(self, raised: str, answered: Sequence[str]) -> None:
        """The customer says something, and the rep's next turn begins with the answer."""
        at = self._anywhere(of_rep=False)
        self._put(at, raised)
        following = [i for i in range(at + 1, len(self.turns)) if self.turns[i][0] is self.rep]
        # Nobody answers after good-bye: then the rep has said nothing about it.
        if following and answered:
            self._put(following[0], " ".join(answered))

    def answered(self, said: str, reply: str) -> None:
        """The rep says something, and the customer's next turn ends with the reply."""
        at = self._anywhere(of_rep=True)
        self._put(at, said)
        following = [i for i in range(at + 1, len(self.turns)) if self.turns[i][0] is not self.rep]
        if following:
            self._put(following[0], reply)

    def spread(self, said: Sequence[str]) -> None:
        """The rep says all of it in this order, over the call."""
        places = sorted(self._anywhere(of_rep=True) for _ in said)
        # What is put into one turn comes out in reverse: each stands before the one there.
        for position, sentence in reversed(list(zip(places, said, strict=True))):
            self._put(position, sentence)

    def _anywhere(self, *, of_rep: bool, who: Person | None = None) -> int:
        last = len(self.turns) - 1
        edge = 3 if last >= 10 else 1
        fitting = [
            position
            for position, (person, _) in enumerate(self.turns)
            if (person is self.rep) == of_rep and (who is None or person is who)
        ]
        inner = [position for position in fitting if edge <= position <= last - edge]
        return self.rng.choice(inner or fitting)

    def _put(self, position: int, said: str) -> None:
        person, text = self.turns[position]
        whole = f"{said} {text}" if person is self.rep else f"{text} {said}"
        self.turns[position] = (person, whole)


def tell(scene: Scene, weaver: Weaver) -> None:
    """Weave a call's stories into its turns."""
    if scene.vendor == "callminer":
        _care(scene, weaver)
        return
    _objection(scene, weaver)
    _value(scene, weaver)
    _claims(scene, weaver)
    _playbook(scene, weaver)
    _frameworks(scene, weaver)
    _signals(scene, weaver)
    _money(scene, weaver)
    _rivals(scene, weaver)
    _risk(scene, weaver)


def handling(employee: Employee, day: date) -> float:
    """How much of a good answer to an objection somebody gives on that day, 0 to 1.

    Newcomers climb, the quick ones past the mark by week six; some fall back after a training.
    """
    if employee.leaves_on is not None:
        weeks = employee.weeks_on_the_job(day)
        quick = documents.learns_quickly(employee.name, employee.hired_on)
        climbed = min(0.95, 0.30 + 0.10 * weeks) if quick else min(0.75, 0.22 + 0.035 * weeks)
        return climbed * (1 - 0.4 * employee.wear(day))
    if documents.in_slump(employee.name, day):
        return 0.25
    return 0.5 + 0.48 * employee.talent


def drifting(element: str, team_number: int, day: date) -> float:
    """The chance that an element of the playbook is told in other words by that day."""
    since = (day - documents.last_enablement(team_number, day)).days
    return 0.06 + 0.8 * documents.DECAY[element] * since / documents.ENABLEMENT_DAYS


def _objection(scene: Scene, weaver: Weaver) -> None:
    if not weaver.maybe(0.85):
        return
    skill = handling(scene.employee, scene.day)
    words = texts.OBJECTION
    answer = [
        weaver.pick(words[part], {})
        for part in ("acknowledged", "asked", "shown", "checked")
        if weaver.maybe(skill)
    ]
    if weaver.maybe((1 - skill) * 0.5):
        answer.insert(0, weaver.pick(words["dismissed"], {}))
    weaver.exchange(weaver.pick(words["raised"], {}), answer)


def _value(scene: Scene, weaver: Weaver) -> None:
    for _ in range(2):
        if weaver.maybe(0.55):
            clear = weaver.maybe(0.15 + 0.75 * scene.good)
            weaver.rep_says(texts.VALUE["clear" if clear else "vague"])


def _known(scene: Scene, weaver: Weaver) -> int:
    person = scene.employee
    haste = weaver.rng.random()
    return documents.known_number(person.name, person.hired_on, scene.day, haste)


def _claims(scene: Scene, weaver: Weaver) -> None:
    areas = list(CLAIM_AREAS)
    often = [CLAIM_AREAS[area][0] for area in areas]
    for area in dict.fromkeys(weaver.rng.choices(areas, often, k=weaver.rng.choice(SOME))):
        limit = documents.api_limit(_known(scene, weaver))
        verdict = "accurate"
        if weaver.maybe(CLAIM_AREAS[area][1] * (0.85 - 0.75 * scene.good)):
            others = [name for name in texts.CLAIMS[area] if name != "accurate"]
            verdict = weaver.rng.choice(others)
        weaver.rep_says(texts.CLAIMS[area][verdict], limit=f"{limit:,}", limit4=f"{4 * limit:,}")


def _playbook(scene: Scene, weaver: Weaver) -> None:
    team = VENDORS.index(scene.vendor)
    for element in weaver.rng.sample(documents.PLAYBOOK_ELEMENTS, weaver.rng.choice(SOME)):
        number = _known(scene, weaver)
        told = "approved"
        if weaver.maybe(drifting(element, team, scene.day)):
            since = (scene.day - documents.last_enablement(team, scene.day)).days
            told = "strong" if weaver.maybe(since / documents.ENABLEMENT_DAYS) else "mild"
        weaver.rep_says(
            texts.PLAYBOOK[element][told],
            proof=str(documents.PROOF_PERCENT + number),
            sites=str(documents.SITES + number),
            points=str(documents.COMPARED_POINTS + number),
        )


def _frameworks(scene: Scene, weaver: Weaver) -> None:
    deal, segment = scene.deal, scene.account.segment
    if scene.vendor != "chorus":
        won, lost = MEDDICC_SHARES[segment]
        unknown = not deal.won and Random(f"process|{deal.id}").random() < LOST_UNDECIDED
        for element, lines in texts.MEDDICC.items():
            said_here = weaver.maybe(won if deal.won else lost)
            if said_here and not (unknown and element == "decision_process"):
                weaver.customer_says(lines)
    if scene.vendor != "clari_copilot":
        won, lost = SPICED_SHARES[segment]
        said: list[str] = []
        for step, lines in texts.SPICED.items():
            chance = (won if deal.won else lost) * (0.7 + 0.4 * scene.good)
            if weaver.maybe(chance * SHY_STEPS.get(step, 1.0)):
                said.append(weaver.pick(lines, {}))
        # Mostly in the order of the framework; a hurried rep asks when it occurs to them.
        if weaver.maybe(0.5 * (1 - scene.good)):
            weaver.rng.shuffle(said)
        weaver.spread(said)


def _signals(scene: Scene, weaver: Weaver) -> None:
    deal, truth = scene.deal, Random(f"signals|{scene.deal.id}")
    chances = {
        "champion": 0.75 if deal.won else 0.4,
        "technical_fit": 0.8 if deal.won else 0.5,
        "security_review": 0.45,
        "security_form": 0.7 if deal.won else 0.4,
        "legal_review": 0.7 if deal.won else 0.35,
        "legal_concerns": 0.35,
    }
    for signal, chance in chances.items():
        holds = truth.random() < chance
        told = 0.55 if SIGNAL_PLATFORM[signal] == scene.vendor else 0.25
        if weaver.maybe(told) and holds and scene.stage in SIGNAL_STAGES[signal]:
            weaver.customer_says(texts.SIGNALS[signal])
    for _ in range(2):
        if weaver.maybe(BUYING.get(scene.cadence or "", 0.45)):
            weaver.customer_says(texts.SIGNALS["buying"])
        if weaver.maybe(SPECIFIC_PAIN.get(scene.cadence or "", 0.5)):
            weaver.customer_says(texts.SIGNALS["specific_pain"])


def _money(scene: Scene, weaver: Weaver) -> None:
    if weaver.maybe(HESITATION[scene.account.territory]):
        weaver.customer_says(texts.COMMERCIAL["hesitates"])
    about_price = scene.kind in ("pricing", "negotiation", "renewal")
    if not weaver.maybe(0.85 if about_price else 0.2):
        return
    tier = SEGMENT_TIER[scene.account.segment]
    quoted = tier
    if weaver.maybe(0.45 * (1 - scene.good)):
        # The price of another tier under this one's name.
        quoted = weaver.rng.choice([name for name in documents.TIER_PRICES if name != tier])
    price = documents.tier_price(quoted, _known(scene, weaver))
    weaver.rep_says(texts.COMMERCIAL["tier"], tier=tier, tier_price=f"${price}")
    if weaver.maybe(0.3 * (1 - scene.good) + 0.04):
        package = weaver.rng.choice(documents.RETIRED_PACKAGES)
        weaver.rep_says(texts.COMMERCIAL["retired"], package=package)
    if weaver.maybe(0.6 if about_price else 0.15):
        generous = scene.employee.name == GENEROUS
        if weaver.maybe(0.9 if generous else 0.2 * (1 - scene.good)):
            how, percent = "beyond", weaver.rng.choice((15, 18, 20, 25, 30))
        elif weaver.maybe(0.25):
            how, percent = "asked", weaver.rng.choice((12, 15, 18, 20))
        else:
            how, percent = "within", weaver.rng.choice((5, 8, 10))
        weaver.rep_says(texts.COMMERCIAL[how], discount=str(percent))


def _rivals(scene: Scene, weaver: Weaver) -> None:
    rival = scene.deal.competitor
    if rival is not None and weaver.maybe(0.65):
        known = documents.BATTLECARDS[rival]
        for claim in weaver.rng.sample(known, min(len(known), weaver.rng.choice((1, 1, 2)))):
            # Whoever reads the battlecards drops what has become wrong.
            if claim.verdict == "outdated" and weaver.maybe(0.7 * scene.good):
                continue
            weaver.rep_says((claim.line,))
    # At the leaky step the script itself asks for it, whether or not a competitor is known.
    leak = LEAK_AT_LEAKY_STEP if scene.leaky else LEAK_SHARE * (rival is not None)
    if weaver.maybe(leak):
        price = f"${weaver.rng.randint(14, 48)}"
        weaver.rep_says(texts.RIVAL_PRICE, rival_price=price)


def _risk(scene: Scene, weaver: Weaver) -> None:
    heard = {person.id for person, _ in weaver.turns}
    finance = next((each for each in scene.customers if each.title == "CFO"), None)
    if finance is None or finance.id not in heard:
        return
    if scene.deal.at_risk and weaver.maybe(0.7):
        weaver.customer_says(texts.RISK, who=finance)


def _care(scene: Scene, weaver: Weaver) -> None:
    words, good, wear = texts.CARE, scene.good, scene.employee.wear(scene.day)
    if weaver.maybe(0.6):
        state = scene.account.state
        weaver.customer_says(words["state"], state=state)
        if state in documents.ALL_PARTY_STATES and weaver.maybe(0.15 + 0.85 * good):
            asked = weaver.pick(words["consent"], {"state": state})
            weaver.answered(asked, weaver.pick(words["consented"], {}))
    said = " ".join(text.lower() for _, text in weaver.turns)
    # Whoever has forgotten it at the start sometimes thinks of it later.
    if not any(phrase in said for phrase in DISCLOSED) and weaver.maybe(0.4):
        weaver.rep_says(words["late"])
    if scene.kind == "billing" and weaver.maybe(0.5):
        weaver.customer_says(words["overdue"])
        if weaver.maybe(0.2 + 0.75 * good):
            weaver.rep_says(words["miranda"])
    if weaver.maybe(0.22 * (1 - good) + 0.12 * wear + 0.01):
        weaver.rep_says(words["forbidden"])
    for _ in range(2):
        _one_of(weaver, EASE[scene.channel] * (0.5 + 0.7 * good), "easy", "hard")
        _one_of(weaver, CLARITY[scene.channel] * (0.5 + 0.7 * good), "clear", "unclear")
    _one_of(weaver, BRAND[scene.channel] * (0.5 + 0.7 * good), "brand", "off_brand")
    for _ in range(2):
        if weaver.maybe(0.03 + 0.6 * wear):
            weaver.rep_says(words["at_limit"])
    if weaver.maybe(0.65):
        open_to_it = 0.35 + 0.55 * scene.employee.talent - 0.75 * wear
        weaver.rep_says(words["coached" if weaver.maybe(open_to_it) else "uncoachable"])


def _one_of(weaver: Weaver, chance: float, good: str, poor: str) -> None:
    """The good words with that chance, and the poor ones in a third of the other cases."""
    if weaver.maybe(chance):
        weaver.rep_says(texts.CARE[good])
    elif weaver.maybe(0.33):
        weaver.rep_says(texts.CARE[poor])
