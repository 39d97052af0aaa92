"""Where personal data stands in a text: pure functions from a text to spans.

Every pattern takes time in proportion to the text: none nests a repetition in another. Check
digits and the plans of telephone numbers come from python-stdnum and phonenumbers.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from semarize_pipeline.errors import Misconfigured
from semarize_pipeline.privacy.policy import Policy

Span = tuple[int, int]
Check = Callable[[], None]


class Recogniser(Protocol):
    """One kind of personal data. ``check`` is called in long work; it raises to end it."""

    def __call__(self, text: str, check: Check) -> Iterator[Span]:
        """The spans of this kind."""


# ---------------------------------------------------------------------- e-mail

_AT = re.compile(r"[@\uff20]|%40|&#64;")
_LOCAL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+\Z")
_DOMAIN = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_][\w-]{0,61}[^\W_]")
_QUOTES = ".'`*=?/{|}^&!~"


def emails(text: str, check: Check) -> Iterator[Span]:
    """Addresses in any alphabet, also with an encoded or full-width @."""
    for at in _AT.finditer(text):
        check()
        domain = _DOMAIN.match(text, at.end())
        # A part of an address has 64 characters at most: looking back stays cheap.
        back = max(0, at.start() - 64)
        local = _LOCAL.search(text[back : at.start()])
        if not domain or not local:
            continue
        lead = len(local[0]) - len(local[0].lstrip(_QUOTES))
        if lead < len(local[0]):
            yield back + local.start() + lead, domain.end()


# ---------------------------------------------------------------------- numbers

# What stands between the digits of one number, in writing or in a transcript of speech.
_BETWEEN = r"[ \t\u00a0\u00ad\u2000-\u200f\u2010-\u2015\u202a-\u202f\u2060().,\-/·]"
_RUN = re.compile(rf"\d(?:{_BETWEEN}{{0,3}}\d)*")
_GROUP = re.compile(r"\d+")
_TWO_DIGITS = re.compile(r"\d{2}")
# As far as an identifier reaches from two of its digits to the next ones.
_REACH = 24
_PIECE = 160
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_DATE = re.compile(
    rf"(?<!\d)(?:19|20)\d{{2}}([-/.]){_DAY}\1{_DAY}"
    r"(?:[T ]\d{1,2}:\d{2}(?::\d{2})?)?(?![-.]?\d)"
    rf"|(?<!\d){_DAY}([-/.]){_DAY}\2(?:19|20)\d{{2}}(?![-.]?\d)"
)


def _digits(text: str) -> str:
    """The digits alone, as ASCII whatever the script."""
    return "".join(str(unicodedata.digit(c)) for c in text if c.isdigit())


def zones(text: str) -> Iterator[Span]:
    """The stretches around digits, outside which no number can be: most of a call has none."""
    start = end = -1
    for found in _TWO_DIGITS.finditer(text):
        if found.start() - _REACH <= end:
            end = found.end() + _REACH
            continue
        if end > 0:
            yield start, min(end, len(text))
        start, end = max(0, found.start() - _REACH), found.end() + _REACH
    if end > 0:
        yield start, min(end, len(text))


def _issued(number: str) -> bool:
    """Whether a card number has a length and first digits that some scheme gives out."""
    size, six = len(number), int(number[:6])
    return (
        (number[0] == "4" and size in (13, 16, 19))
        or (size == 16 and (510000 <= six <= 559999 or 222100 <= six <= 272099))
        or (size == 15 and number[:2] in ("34", "37"))
        or (size in (14, 16, 19) and (300000 <= six <= 305999 or number[:2] in ("36", "38", "39")))
        or (size == 16 and 352800 <= six <= 358999)
        or (16 <= size <= 19 and (number[:2] in ("62", "65") or 644000 <= six <= 649999))
        or (16 <= size <= 19 and number[:4] == "6011")
        or (16 <= size <= 19 and number[:2] in ("50", "56", "57", "58", "63", "67"))
    )


class Cards:
    """Payment cards: a known scheme's length and first digits, and the check digit of Luhn."""

    def __init__(self) -> None:
        from stdnum import luhn

        self._is_valid: Callable[[str], bool] = luhn.is_valid

    def __call__(self, text: str, check: Check) -> Iterator[Span]:
        for run in _RUN.finditer(text):
            check()
            if run.end() - run.start() >= 13:
                yield from self._within(text, list(_GROUP.finditer(text, *run.span())), check)

    def _within(self, text: str, groups: Sequence[re.Match[str]], check: Check) -> Iterator[Span]:
        """Whole groups that make a card number together; the longest from each start."""
        first = 0
        while first < len(groups):
            check()
            number, gap, found = "", None, None
            for last in range(first, len(groups)):
                if last > first:
                    # Written in one way throughout: two numbers side by side rarely are.
                    between = text[groups[last - 1].end() : groups[last].start()]
                    if gap not in (None, between):
                        break
                    gap = between
                number += _digits(groups[last][0])
                if len(number) > 19:
                    break
                if len(number) >= 13 and _issued(number) and self._is_valid(number):
                    found = last
            if found is None:
                first += 1
                continue
            yield groups[first].start(), groups[found].end()
            first = found + 1


class Ibans:
    """International bank account numbers, with their country's length and check digits."""

    _START = re.compile(
        r"(?<![^\W_])[A-Za-z]{2}\d{2}(?:[ \u00a0\u202f.\-]?[A-Za-z0-9]){11,30}", re.ASCII
    )

    def __init__(self) -> None:
        from stdnum import iban

        self._is_valid: Callable[[str], bool] = iban.is_valid

    def __call__(self, text: str, check: Check) -> Iterator[Span]:
        for start, end in zones(text):
            for found in self._START.finditer(text, start, end):
                check()
                if length := self._length(found[0], text[found.end() : found.end() + 1]):
                    yield found.start(), found.start() + length

    def _length(self, told: str, after: str) -> int | None:
        """How much of it is the number: words may follow it."""
        at = [i for i, c in enumerate(told) if c.isalnum()]
        for size in range(len(at), 14, -1):
            end = at[size - 1] + 1
            follows = told[end : end + 1] or after
            if not follows.isalnum() and self._is_valid("".join(told[i] for i in at[:size])):
                return end
        return None


class Phones:
    """Telephone numbers that some country's plan knows: with their code, or of a region given."""

    # Letters and a hyphen before it make it a part of a longer name: INT-20260301-00001.
    _EXTENSION = re.compile(r"[ ,;]{0,2}(?:ext(?:ension)?\.?|x|#)[ :.=]{0,2}\d{1,6}", re.IGNORECASE)
    _NAMED = re.compile(r"(?:[^\W\d_]-|[_#=])\Z")

    def __init__(self, regions: Sequence[str]) -> None:
        import phonenumbers

        self._matches = phonenumbers.PhoneNumberMatcher
        self._regions: tuple[str | None, ...] = tuple(regions) or (None,)

    def __call__(self, text: str, check: Check) -> Iterator[Span]:
        for run in _RUN.finditer(text):
            check()
            digits = sum(map(str.isdigit, run[0]))
            if digits < 7 or self._NAMED.search(text, max(0, run.start() - 2), run.start()):
                continue
            for start in range(run.start(), run.end(), _PIECE - 40):
                check()
                yield from self._piece(text, start, min(start + _PIECE, run.end()))

    def _piece(self, text: str, start: int, end: int) -> Iterator[Span]:
        # With what may stand before it (+, brackets) and after it: another number must not be cut.
        begin = max(0, start - 3)
        extension = self._EXTENSION.match(text, end)
        told = text[begin : extension.end() if extension else end + 1]
        dates = [found.span() for found in _DATE.finditer(told)]
        regions = self._regions if "+" not in told[:4] else self._regions[:1]
        for region in regions:
            for found in self._matches(told, region):
                is_date = any(s < found.end and found.start < e for s, e in dates)
                if found.raw_string.lstrip("(").startswith("+") or not is_date:
                    # A bracket around the number is not the number's.
                    opened = found.raw_string.startswith("(") and ")" not in found.raw_string
                    yield begin + found.start + opened, begin + found.end


# ---------------------------------------------------------------------- national ids

_BEFORE, _AFTER = r"(?<![^\W_])(?<!\d[.,\-/])", r"(?![^\W_])(?![.,\-/]\d)"


def _writing(pattern: str) -> re.Pattern[str]:
    return re.compile(f"{_BEFORE}(?:{pattern}){_AFTER}", re.IGNORECASE | re.ASCII)


# How each is written. Where the check is weak the writing must have its own punctuation, so
# that plain numbers stay. The module of stdnum that checks it; None where there is no check.
_WRITINGS: Mapping[str, tuple[str, str | None]] = {
    "us_ssn": (r"\d{3}([- ])\d{2}\1\d{4}", "us.ssn"),
    "us_itin": (r"9\d{2}([- ])\d{2}\1\d{4}", "us.itin"),
    "ca_sin": (r"\d{3}([- ])\d{3}\1\d{3}", "ca.sin"),
    "gb_nino": (
        r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
        r"( ?)\d{2}\1\d{2}\1\d{2}\1[A-D]",
        None,
    ),
    "gb_nhs": (r"\d{3}([- ])\d{3}\1\d{4}", "gb.nhs"),
    "de_idnr": (r"\d{2}( ?)\d{3}\1\d{3}\1\d{3}", "de.idnr"),
    "fr_nir": (r"[12]( ?)\d{2}\1\d{2}\1(?:\d{2}|2[AB])\1\d{3}\1\d{3} ?\d{2}", "fr.nir"),
    "es_dni": (r"\d{8}-?[A-Z]", "es.dni"),
    "es_nie": (r"[XYZ]-?\d{7}-?[A-Z]", "es.nie"),
    "it_codicefiscale": (
        r"[A-Z]{3} ?[A-Z]{3} ?\d{2}[A-EHLMPRST]\d{2} ?[A-Z]\d{3}[A-Z]",
        "it.codicefiscale",
    ),
    "nl_bsn": (r"\d{4}\.\d{2}\.\d{3}", "nl.bsn"),
    "be_nn": (r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", "be.nn"),
    "ch_ahv": (r"756(\.?)\d{4}\1\d{4}\1\d{2}", "ch.ssn"),
    "pl_pesel": (r"\d{11}", "pl.pesel"),
    "se_personnummer": (r"(?:\d{2})?\d{6}[-+]\d{4}", "se.personnummer"),
    "fi_hetu": (r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]", "fi.hetu"),
    "br_cpf": (r"\d{3}\.\d{3}\.\d{3}-\d{2}", "br.cpf"),
    "in_aadhaar": (r"[2-9]\d{3}([- ])\d{4}\1\d{4}", "in_.aadhaar"),
    "au_tfn": (r"\d{3} \d{3} \d{3}", "au.tfn"),
}


class NationalIds:
    """National identity, tax and insurance numbers of the countries given."""

    def __init__(self, wanted: Sequence[str]) -> None:
        from importlib import import_module

        self._known: list[tuple[re.Pattern[str], Callable[[str], bool]]] = []
        for name in wanted:
            pattern, module = _WRITINGS[name]
            valid = import_module(f"stdnum.{module}").is_valid if module else bool
            self._known.append((_writing(pattern), valid))

    def __call__(self, text: str, check: Check) -> Iterator[Span]:
        for start, end in zones(text):
            check()
            for pattern, is_valid in self._known:
                for found in pattern.finditer(text, start, end):
                    if is_valid(found[0].upper().replace(" ", "")):
                        yield found.span()


# ---------------------------------------------------------------------- addresses of machines

_IP4 = re.compile(
    rf"{_BEFORE}(?<!version )(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?![^\W_])(?!\.\d)", re.A | re.I
)
_IP6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,8}(?![\w:])")


def ips(text: str, check: Check) -> Iterator[Span]:
    """Internet addresses of both versions."""
    for pattern, least in ((_IP4, 4), (_IP6, 3)):
        for found in pattern.finditer(text):
            check()
            try:
                ipaddress.ip_address(found[0])
            except ValueError:
                continue
            # Three parts at least, so that "::" in code stays.
            if len([part for part in re.split(r"[.:]", found[0]) if part]) >= least:
                yield found.span()


# ---------------------------------------------------------------------- all of them


def recognisers(policy: Policy) -> list[tuple[str, Recogniser]]:
    """The policy's recognisers, the surest first. Raises Misconfigured where one is missing."""
    make: Mapping[str, Callable[[], Recogniser]] = {
        "email": lambda: emails,
        "ip": lambda: ips,
        "iban": Ibans,
        "card": Cards,
        "phone": lambda: Phones(policy.phone_regions),
        "national_id": lambda: NationalIds(policy.national_ids),
    }
    try:
        return [(kind, made()) for kind, made in make.items() if kind in policy.kinds]
    except ImportError as error:
        raise Misconfigured(
            f"privacy.kinds needs the package that holds {error.name}, and it is not installed; "
            "install requirements.txt, or leave that kind out"
        ) from None
