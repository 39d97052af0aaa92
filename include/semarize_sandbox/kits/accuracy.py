"""Three kits that hold what reps say against documents: the playbook and the product, prices,
and what is known of competitors.

A statement that changes with its document is known by a figure, which tells the version; whether
that version was still in force is for the warehouse to say, which knows when the call was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from semarize_sandbox.documents import (
    AUTHORITIES,
    BATTLECARDS,
    COMPARED_POINTS,
    PLAYBOOK,
    PLAYBOOK_ELEMENTS,
    PRODUCT_DOCS,
    PROOF_PERCENT,
    RATE_CARD,
    RETIRED_PACKAGES,
    SITES,
    TIER_PRICES,
    limit_version,
    version,
    version_of,
)
from semarize_sandbox.kits.base import Brick, Finding
from semarize_sandbox.kits.deal_signals import COMPETITORS
from semarize_sandbox.kits.reading import Hit, Reading, Sentence, entry, quotes, unit

NO_VERSION = "none"
_AE = AUTHORITIES[0]


@dataclass(frozen=True, slots=True)
class _Claim:
    """One statement of the rep: about what, whether it holds, by which version."""

    area: str
    verdict: str
    document: str
    version: str
    sentence: Sentence

    def line(self) -> str:
        return entry(self.verdict, self.area, self.document, self.version, self.sentence.text)


# What is said of the product

_LIMIT = re.compile(r"(\d[\d,]*) requests a minute")
_AREAS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    # area: verdict: the words by which it is known
    "api_limits": {"inaccurate": ("no limit on the api", "api has no limit")},
    "enterprise_sso": {
        "accurate": ("comes with the enterprise plan",),
        "inaccurate": ("sso on all plans", "sso is included on all plans"),
    },
    "uptime_sla": {
        "accurate": ("99.9 percent uptime",),
        "inaccurate": ("99.99 percent uptime", "uptime is 99.99 percent"),
    },
    "data_residency": {
        "accurate": ("in the region you pick",),
        "inaccurate": ("in any country you like",),
    },
    "integrations": {
        "accurate": ("covers the standard fields",),
        "inaccurate": ("connects to everything", "connects to anything"),
    },
    "roadmap": {
        "accurate": ("what you see today is what you sign",),
        "inaccurate": ("the internal list",),
    },
}
CLAIM_VERDICTS = ("accurate", "imprecise", "inaccurate")


def _claims(reading: Reading) -> list[_Claim]:
    found: list[_Claim] = []
    for match, sentence in reading.search(_LIMIT, "rep"):
        number = limit_version(int(match[1].replace(",", "")))
        # A limit without the plan it belongs to is half the truth.
        if number is None or "on pro" not in sentence.lowered:
            found.append(_Claim("api_limits", "imprecise", PRODUCT_DOCS, NO_VERSION, sentence))
        else:
            name = version(PRODUCT_DOCS, number).name
            found.append(_Claim("api_limits", "accurate", PRODUCT_DOCS, name, sentence))
    for area, verdicts in _AREAS.items():
        for verdict, phrases in verdicts.items():
            found += [
                _Claim(area, verdict, PRODUCT_DOCS, NO_VERSION, hit.sentence)
                for hit in reading.find(phrases, "rep")
            ]
    return sorted(found, key=lambda claim: claim.sentence.start)


def _claim_lines(reading: Reading) -> Finding:
    claims = _claims(reading)
    wrong = [claim for claim in claims if claim.verdict != "accurate"]
    reason = f"{len(claims)} claims, {len(wrong)} of them not accurate."
    return Finding(
        sorted({claim.line() for claim in claims}), len(claims), reason,
        [claim.sentence.text for claim in wrong or claims],
    )  # fmt: skip


def _feature_claims(reading: Reading) -> Finding:
    claims = _claims(reading)
    wrong = [claim for claim in claims if claim.verdict != "accurate"]
    if not claims:
        return Finding(None, 0, "Nothing is claimed about the product.")
    reason = f"{len(wrong)} of {len(claims)} claims do not hold."
    return Finding(
        not wrong, len(claims), reason, [claim.sentence.text for claim in wrong or claims]
    )


_CREDIT = {"accurate": 1.0, "imprecise": 0.5, "inaccurate": 0.0}


def _feature_accuracy(reading: Reading) -> Finding:
    claims = _claims(reading)
    if not claims:
        return Finding(None, 0, "Nothing is claimed about the product.")
    value = sum(_CREDIT[claim.verdict] for claim in claims) / len(claims)
    reason = f"{len(claims)} claims, an imprecise one counts half."
    return Finding(unit(value), len(claims), reason, [claim.sentence.text for claim in claims])


def _overstated(reading: Reading) -> Finding:
    hits = reading.find(_AREAS["integrations"]["inaccurate"], "rep")
    reason = "An integration is overstated." if hits else "No integration is overstated."
    return Finding(bool(hits), len(hits), reason, quotes(hits))


def _gap(reading: Reading) -> Finding:
    order = {"inaccurate": 0, "imprecise": 1}
    wrong = [claim for claim in _claims(reading) if claim.verdict in order]
    if not wrong:
        return Finding("none", 0, "No claim shows a gap.")
    worst = min(wrong, key=lambda claim: (order[claim.verdict], claim.sentence.start))
    return Finding(worst.area, len(wrong), "The claim that is furthest off.", [worst.sentence.text])


# What is said of the house, and of the others

_APPROVED: Mapping[str, tuple[re.Pattern[str], int]] = {
    "value_prop": (re.compile(r"(\d+) percent fewer hand-offs"), PROOF_PERCENT),
    "positioning": (re.compile(r"more than (\d+) sites"), SITES),
    "competitive_response": (re.compile(r"comparison of (\d+) points"), COMPARED_POINTS),
}
_DRIFTED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "value_prop": {
        "mild": ("basically we make", "gets cheaper with us"),
        "strong": ("all-in-one ai",),
    },
    "positioning": {
        "mild": ("for anybody who works with", "made for anybody"),
        "strong": ("a cheaper bi tool",),
    },
    "competitive_response": {
        "mild": ("the others are fine too", "the others do"),
        "strong": ("this market is dying", "the market is dying"),
    },
}
_SEVERITY = {"approved": 0.0, "mild": 0.4, "strong": 0.85}


def _messages(reading: Reading) -> list[_Claim]:
    found: list[_Claim] = []
    for element, (pattern, first) in _APPROVED.items():
        for match, sentence in reading.search(pattern, "rep"):
            number = version_of(int(match[1]), first)
            name = NO_VERSION if number is None else version(PLAYBOOK, number).name
            verdict = "mild" if number is None else "approved"
            found.append(_Claim(element, verdict, PLAYBOOK, name, sentence))
    for element, degrees in _DRIFTED.items():
        for degree, phrases in degrees.items():
            found += [
                _Claim(element, degree, PLAYBOOK, NO_VERSION, hit.sentence)
                for hit in reading.find(phrases, "rep")
            ]
    return sorted(found, key=lambda claim: claim.sentence.start)


def _worst(reading: Reading) -> _Claim | None:
    messages = _messages(reading)
    return max(messages, key=lambda claim: _SEVERITY[claim.verdict], default=None)


def _approved(reading: Reading) -> Finding:
    messages = _messages(reading)
    if not messages:
        return Finding(None, 0, "Nothing of the playbook comes up.")
    drifted = [claim for claim in messages if claim.verdict != "approved"]
    reason = f"{len(drifted)} of {len(messages)} messages are not the playbook's."
    return Finding(
        not drifted, len(messages), reason, [claim.sentence.text for claim in drifted or messages]
    )


def _drift_category(reading: Reading) -> Finding:
    worst = _worst(reading)
    if worst is None or worst.verdict == "approved":
        return Finding("none", 0, "Nothing drifts.")
    reason = "The message that is furthest from the playbook."
    return Finding(worst.area, 1, reason, [worst.sentence.text])


def _drift_severity(reading: Reading) -> Finding:
    worst = _worst(reading)
    if worst is None:
        return Finding(None, 0, "Nothing of the playbook comes up.")
    reason = f"The furthest message is {worst.verdict}."
    return Finding(_SEVERITY[worst.verdict], 1, reason, [worst.sentence.text])


def _message_lines(reading: Reading) -> Finding:
    messages = _messages(reading)
    reason = f"{len(messages)} messages of the playbook come up."
    return Finding(
        sorted({claim.line() for claim in messages}), len(messages), reason,
        [claim.sentence.text for claim in messages],
    )  # fmt: skip


_RIVAL_MARKS = {
    claim.mark: (rival, claim) for rival, claims in BATTLECARDS.items() for claim in claims
}


def _rival_claims(reading: Reading) -> list[_Claim]:
    found: list[_Claim] = []
    for hit in reading.find(_RIVAL_MARKS, "rep"):
        rival, claim = _RIVAL_MARKS[hit.phrase]
        found.append(_Claim(claim.key, claim.verdict, rival, claim.version, hit.sentence))
    return found


def _rival_valid(reading: Reading) -> Finding:
    claims = _rival_claims(reading)
    if not claims:
        return Finding(None, 0, "Nothing is claimed about a competitor.")
    wrong = [claim for claim in claims if claim.verdict != "accurate"]
    reason = f"{len(wrong)} of {len(claims)} claims about competitors are out of date."
    return Finding(
        not wrong, len(claims), reason, [claim.sentence.text for claim in wrong or claims]
    )


_RIVAL_PRICE = re.compile(
    rf"(?:{'|'.join(re.escape(name.lower()) for name in COMPETITORS)}).{{0,60}}?\$\d+ a seat"
)


def _leak(reading: Reading) -> Finding:
    found = [sentence.text for _, sentence in reading.search(_RIVAL_PRICE, "rep")]
    reason = "A competitor's price is passed on." if found else "No competitor's price is named."
    return Finding(bool(found), len(found), reason, found)


def _pricing_reference(reading: Reading) -> Finding:
    quoted = _quoted(reading)
    if not quoted:
        return Finding(None, 0, "No list price is named.")
    wrong = [claim for claim in quoted if claim.verdict != "accurate"]
    reason = f"{len(wrong)} of {len(quoted)} list prices are not on any rate card."
    return Finding(
        not wrong, len(quoted), reason, [claim.sentence.text for claim in wrong or quoted]
    )


def messaging_accuracy() -> tuple[Brick, ...]:
    """The bricks of the kit that knows the product documents, the playbook and the battlecards."""
    return (
        Brick(
            key="claims",
            type="string_list",
            rule=_claim_lines,
            describe=(
                "One line for each claim about the product: verdict | area | document | version | "
                "the words. The version is that in which the figure stands, or none."
            ),
        ),
        Brick(
            key="feature_claim_accurate",
            type="boolean",
            rule=_feature_claims,
            describe="True when every claim about the product is accurate; null without any.",
        ),
        Brick(
            key="feature_accuracy",
            type="score",
            scale=(0.0, 1.0),
            rule=_feature_accuracy,
            describe="The share of accurate claims, imprecise ones count half; null without any.",
        ),
        Brick(
            key="pricing_reference_correct",
            type="boolean",
            rule=_pricing_reference,
            describe="True when every list price named is on a rate card; null without any.",
        ),
        Brick(
            key="integration_overstated",
            type="boolean",
            rule=_overstated,
            describe="True when the rep says that it connects to everything or anything.",
        ),
        Brick(
            key="competitor_claim_valid",
            type="boolean",
            rule=_rival_valid,
            describe=(
                "False when a claim about a competitor is out of date by the battlecards; null "
                "when there is no claim that they know."
            ),
        ),
        Brick(
            key="competitor_pricing_leaked",
            type="boolean",
            rule=_leak,
            describe="True when the rep names a competitor and its price a seat in one sentence.",
        ),
        Brick(
            key="knowledge_gap_area",
            type="category",
            allowed_values=("none", *_AREAS),
            rule=_gap,
            describe="The area of the claim that is furthest off, none when all are accurate.",
        ),
        Brick(
            key="messages",
            type="string_list",
            rule=_message_lines,
            describe=(
                "One line for each message of the playbook: approved, mild or strong | element | "
                "document | version | the words."
            ),
        ),
        Brick(
            key="approved_messaging_used",
            type="boolean",
            rule=_approved,
            describe="True when every message is in the playbook's words; null without any.",
        ),
        Brick(
            key="drift_category",
            type="category",
            allowed_values=("none", *PLAYBOOK_ELEMENTS),
            rule=_drift_category,
            describe="The playbook's element that is told furthest from its words, or none.",
        ),
        Brick(
            key="drift_severity",
            type="score",
            scale=(0.0, 1.0),
            rule=_drift_severity,
            describe=(
                "0 for the playbook's words, 0.4 for vague ones, 0.85 for other ones, of the "
                "message that is furthest off; null without any."
            ),
        ),
    )


# Prices

_TIER = re.compile(
    rf"({'|'.join(name.lower() for name in TIER_PRICES)})\b.{{0,40}}?\$(\d+) a seat and month"
)
_DISCOUNT = re.compile(r"(\d+) percent off")
_TWO_YEARS = re.compile(r"two years the discount is (\d+) percent")
_APPROVAL = ("approved by my manager", "manager has approved")
_RETIRED = tuple(name.lower() for name in RETIRED_PACKAGES)
RISK_LEVELS = ("none", "low", "medium", "high")


def _quoted(reading: Reading) -> list[_Claim]:
    """The list prices that the rep names, held against all rate cards."""
    found: list[_Claim] = []
    tiers = {name.lower(): name for name in TIER_PRICES}
    for match, sentence in reading.search(_TIER, "rep"):
        tier = tiers[match[1]]
        number = version_of(int(match[2]), TIER_PRICES[tier])
        if number is None:
            found.append(_Claim(tier, "inaccurate", RATE_CARD, NO_VERSION, sentence))
        else:
            name = version(RATE_CARD, number).name
            found.append(_Claim(tier, "accurate", RATE_CARD, name, sentence))
    return found


def _quoted_lines(reading: Reading) -> Finding:
    quoted = _quoted(reading)
    reason = f"{len(quoted)} list prices are named."
    return Finding(
        sorted({claim.line() for claim in quoted}), len(quoted), reason,
        [claim.sentence.text for claim in quoted],
    )  # fmt: skip


def _discounts(reading: Reading) -> list[tuple[float, bool, Sentence]]:
    """The discounts that the rep grants, and whether they are the rep's to grant."""
    approved = {hit.sentence.start for hit in reading.find(_APPROVAL, "rep")}
    granted: list[tuple[float, bool, Sentence]] = []
    for pattern, most in ((_DISCOUNT, _AE.one_year_percent), (_TWO_YEARS, _AE.two_years_percent)):
        for match, sentence in reading.search(pattern, "rep"):
            percent = float(match[1])
            may = percent <= most or sentence.start in approved
            granted.append((min(100.0, percent), may, sentence))
    return granted


def _discount(reading: Reading) -> Finding:
    granted = _discounts(reading)
    if not granted:
        return Finding(None, 0, "No discount is granted.")
    percent, _, sentence = max(granted, key=lambda each: each[0])
    return Finding(percent, len(granted), "The highest discount granted.", [sentence.text])


def _exceeded(reading: Reading) -> Finding:
    beyond = [sentence.text for _, may, sentence in _discounts(reading) if not may]
    reason = "A discount is beyond the rep's authority." if beyond else "No discount is too high."
    return Finding(bool(beyond), len(beyond), reason, beyond)


def _outdated(reading: Reading) -> Finding:
    hits = reading.find(_RETIRED, "rep")
    reason = "A package is offered that was retired." if hits else "No retired package is offered."
    return Finding(bool(hits), len(hits), reason, quotes(hits))


def _misstated(reading: Reading) -> Finding:
    wrong = [claim.sentence.text for claim in _quoted(reading) if claim.verdict != "accurate"]
    packages = _outdated(reading)
    reason = f"{len(wrong)} wrong list prices, {packages.hits} retired packages."
    return Finding(
        bool(wrong) or packages.value is True, len(wrong) + packages.hits, reason,
        [*wrong, *packages.evidence],
    )  # fmt: skip


def _commercial_risk(reading: Reading) -> Finding:
    signs = [_exceeded(reading), _outdated(reading)]
    wrong = [claim.sentence.text for claim in _quoted(reading) if claim.verdict != "accurate"]
    points = 2 * (signs[0].value is True) + (signs[1].value is True) + bool(wrong)
    level = RISK_LEVELS[min(3, points)]
    reason = f"{points} points of commercial risk."
    return Finding(level, points, reason, [*signs[0].evidence, *signs[1].evidence, *wrong])


def commercial_accuracy() -> tuple[Brick, ...]:
    """The bricks of the kit that knows the rate card and who may grant which discount."""
    return (
        Brick(
            key="quoted_prices",
            type="string_list",
            rule=_quoted_lines,
            describe=(
                "One line for each list price: verdict | tier | document | version | the words. "
                "The version is the rate card on which the price stands, or none."
            ),
        ),
        Brick(
            key="pricing_tier_correct",
            type="boolean",
            rule=_pricing_reference,
            describe=(
                "True when every tier is quoted at a price that it has on a rate card; null when "
                "no list price is named."
            ),
        ),
        Brick(
            key="pricing_misstated",
            type="boolean",
            rule=_misstated,
            describe="True when a list price is on no rate card or a retired package is offered.",
        ),
        Brick(
            key="discount_percent",
            type="score",
            scale=(0.0, 100.0),
            rule=_discount,
            describe="The highest discount that the rep grants, in percent; null without any.",
        ),
        Brick(
            key="discount_authority_exceeded",
            type="boolean",
            rule=_exceeded,
            describe=(
                f"True when a discount is above {_AE.one_year_percent} percent, or "
                f"{_AE.two_years_percent} for two years, and no manager has approved it."
            ),
        ),
        Brick(
            key="packaging_outdated",
            type="boolean",
            rule=_outdated,
            describe=f"True when the rep offers one of: {', '.join(RETIRED_PACKAGES)}.",
        ),
        Brick(
            key="commercial_risk_level",
            type="category",
            allowed_values=RISK_LEVELS,
            rule=_commercial_risk,
            describe=(
                "Two points for a discount beyond authority, one for a retired package, one for a "
                "wrong list price: none, low, medium, high from three on."
            ),
        ),
    )


# Competitors


def _used(reading: Reading) -> Finding:
    claims = _rival_claims(reading)
    reason = f"{len(claims)} statements of the battlecards." if claims else "No battlecard is used."
    return Finding(bool(claims), len(claims), reason, [claim.sentence.text for claim in claims])


def _rival_accurate(reading: Reading) -> Finding:
    claims = _rival_claims(reading)
    if not claims:
        return Finding(None, 0, "Nothing is claimed about a competitor.")
    right = [claim for claim in claims if claim.verdict == "accurate"]
    reason = f"{len(right)} of {len(claims)} claims are up to date."
    return Finding(
        unit(len(right) / len(claims)), len(claims), reason,
        [claim.sentence.text for claim in claims],
    )  # fmt: skip


def _outdated_claim(reading: Reading) -> Finding:
    wrong = [claim.sentence.text for claim in _rival_claims(reading) if claim.verdict == "outdated"]
    reason = f"{len(wrong)} claims are out of date."
    return Finding(bool(wrong), len(wrong), reason, wrong)


def _rival(reading: Reading) -> Finding:
    claims = _rival_claims(reading)
    if claims:
        first = claims[0]
        return Finding(
            first.document, len(claims), "The first one claimed about.", [first.sentence.text]
        )
    named: list[Hit] = reading.find(tuple(name.lower() for name in COMPETITORS))
    if not named:
        return Finding(None, 0, "No competitor is named.")
    names = {name.lower(): name for name in COMPETITORS}
    return Finding(names[named[0].phrase], len(named), "The first one named.", quotes(named))


def _rival_lines(reading: Reading) -> Finding:
    claims = _rival_claims(reading)
    reason = f"{len(claims)} claims about competitors."
    return Finding(
        sorted({claim.line() for claim in claims}), len(claims), reason,
        [claim.sentence.text for claim in claims],
    )  # fmt: skip


def battlecards() -> tuple[Brick, ...]:
    """The bricks of the kit that knows the battlecards."""
    return (
        Brick(
            key="battlecard_used",
            type="boolean",
            rule=_used,
            describe="True when the rep says something of a competitor that a battlecard knows.",
        ),
        Brick(
            key="claims_accurate",
            type="score",
            scale=(0.0, 1.0),
            rule=_rival_accurate,
            describe="The share of claims about competitors that are up to date; null without any.",
        ),
        Brick(
            key="outdated_claim",
            type="boolean",
            rule=_outdated_claim,
            describe="True when a claim about a competitor is out of date by its battlecard.",
        ),
        Brick(
            key="competitor",
            type="category",
            allowed_values=COMPETITORS,
            rule=_rival,
            describe="The competitor that is claimed about first, else named first; null if none.",
        ),
        Brick(
            key="competitor_claims",
            type="string_list",
            rule=_rival_lines,
            describe=(
                "One line for each claim: accurate or outdated | claim | competitor | version of "
                "its battlecard since which that is so | the words."
            ),
        ),
    )
