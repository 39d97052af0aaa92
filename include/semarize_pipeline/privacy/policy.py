"""What a deployment decides about personal data: the section ``[privacy]`` of the settings file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from semarize_pipeline.model import digest

Place = Literal["off", "semarize", "landing"]
PLACES: tuple[Place, ...] = ("off", "semarize", "landing")
KINDS = ("email", "iban", "card", "phone", "national_id", "ip", "name")
NATIONAL_IDS = (
    "us_ssn",
    "us_itin",
    "ca_sin",
    "gb_nino",
    "gb_nhs",
    "de_idnr",
    "fr_nir",
    "es_dni",
    "es_nie",
    "it_codicefiscale",
    "nl_bsn",
    "be_nn",
    "ch_ahv",
    "pl_pesel",
    "se_personnummer",
    "fi_hetu",
    "br_cpf",
    "in_aadhaar",
    "au_tfn",
)
# Raised with every change of a rule, so that a row tells by which rules it was redacted.
RULES = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is redacted, and where.

    ``semarize``: the text that is sent, while landing keeps the words. ``landing``: whatever
    lands, and so what is sent too. ``phone_regions`` are the countries whose numbers count
    without their country code. ``keep_owner`` keeps the columns ``owner_name`` and
    ``owner_email``, by which the marts know a rep.
    """

    redact: Place = "off"
    kinds: tuple[str, ...] = KINDS
    phone_regions: tuple[str, ...] = ("US", "GB")
    national_ids: tuple[str, ...] = NATIONAL_IDS
    keep_owner: bool = True
    patience_seconds: float = 20.0

    @property
    def version(self) -> str:
        """A name for these rules, the same for the same decisions."""
        decided = asdict(self)
        del decided["redact"], decided["patience_seconds"]
        return f"{RULES}-{digest(decided)[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Days after which content is blanked; None keeps it. Rows and counts stay in any case."""

    raw: float | None = None
    transcripts: float | None = None
    quarantine: float | None = None
    evidence: float | None = None
