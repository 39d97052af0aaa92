"""What each brick of the kits finds, and what it must not take for it."""

from __future__ import annotations

from typing import Any

import pytest

from semarize_sandbox import documents
from semarize_sandbox.kits import kits

KITS = {kit.name: kit.current for kit in kits().values()}


def answer(kit: str, said: str, key: str) -> dict[str, Any]:
    return KITS[kit].answer(said)[key]


SELLING = "Rep: Hello.\nProspect: Hello.\n"
SERVING = "Agent: This call is recorded.\nCustomer: Fine.\nAgent: May I verify your identity?\n"


@pytest.mark.parametrize(
    ("said", "key", "expected"),
    [
        # A concern, and how it is met; without one there is nothing to handle.
        ("Rep: That's a fair point.", "objection_handling_score", None),
        ("Prospect: My concern is time.\nRep: Next slide.", "objection_handling_score", 0.0),
        ("Prospect: My concern is time.\nRep: That's a fair point about time.",
         "objection_handling_score", 0.25),
        ("Prospect: My concern is time.\nRep: That's a fair point. What's behind that? Here's an "
         "example: one week. Does that answer it?", "objection_handling_score", 1.0),
        ("Prospect: My concern is time.\nRep: That's a fair point. That's not really an issue.",
         "objection_handling_score", 0.1),
        ("Rep: My concern is time.", "objection_handling_score", None),
        ("Rep: Do you use a tool?", "discovery_technique_depth", "surface_level"),
        ("Rep: Why now? What happens then? Who else is on it?", "discovery_technique_depth",
         "structured"),
        ("Rep: Why now? What happens then? Who else is on it? What would change? How do you know?",
         "discovery_technique_depth", "deep"),
        ("Rep: So that comes to $4,000 a year.", "value_articulation_clarity", 0.7),
        ("Rep: That comes to a lot.", "value_articulation_clarity", 0.4),
        ("Rep: It's a game changer.", "value_articulation_clarity", 0.2),
        ("Rep: Yes.", "closing_score", 20.0),
        ("Rep: To recap: all is clear.", "closing_score", 45.0),
        ("Rep: Let's book Tuesday at 10. To recap: all is clear.", "closing_score", 100.0),
        ("Rep: Yes.", "discovery_score", 0.0),
        ("Prospect: We lose 12 hours a week.", "discovery_score", 40.0),
    ],
)  # fmt: skip
def test_coaching_skills(said: str, key: str, expected: Any) -> None:
    assert answer("coaching_skills", SELLING + said, key)["value"] == expected


@pytest.mark.parametrize(
    ("said", "key", "expected"),
    [
        ("Rep: The API takes 650 requests a minute on Pro and 2,600 on Enterprise.", "claims",
         ["accurate | api_limits | Product Docs | v4.3 | The API takes 650 requests a minute on "
          "Pro and 2,600 on Enterprise."]),
        ("Rep: You get 1,000 requests a minute.", "claims",
         ["imprecise | api_limits | Product Docs | none | You get 1,000 requests a minute."]),
        ("Rep: It's 660 requests a minute on Pro.", "claims",
         ["imprecise | api_limits | Product Docs | none | It's 660 requests a minute on Pro."]),
        ("Rep: We support SSO on all plans.", "claims",
         ["inaccurate | enterprise_sso | Product Docs | none | We support SSO on all plans."]),
        ("Prospect: Do you support SSO on all plans?", "claims", []),
        ("Rep: We support SSO on all plans.", "feature_claim_accurate", False),
        ("Rep: Single sign-on comes with the Enterprise plan only.", "feature_claim_accurate",
         True),
        ("Rep: Nice weather.", "feature_claim_accurate", None),
        ("Rep: You get 1,000 requests a minute. We sign 99.9 percent uptime.", "feature_accuracy",
         0.75),
        ("Rep: Nice weather.", "feature_accuracy", None),
        ("Rep: It connects to everything by itself.", "integration_overstated", True),
        ("Rep: The connector covers the standard fields.", "integration_overstated", False),
        ("Rep: You get 1,000 requests a minute. We support SSO on all plans.",
         "knowledge_gap_area", "enterprise_sso"),
        ("Rep: Nice weather.", "knowledge_gap_area", "none"),
        ("Rep: What you buy is 23 percent fewer hand-offs.", "messages",
         ["approved | value_prop | Sales Playbook | v2026.2 | What you buy is 23 percent fewer "
          "hand-offs."]),
        ("Rep: What you buy is 23 percent fewer hand-offs.", "approved_messaging_used", True),
        ("Rep: What you buy is 93 percent fewer hand-offs.", "approved_messaging_used", False),
        ("Rep: We're a cheaper BI tool.", "approved_messaging_used", False),
        ("Rep: Nice weather.", "approved_messaging_used", None),
        ("Rep: We're a cheaper BI tool.", "drift_category", "positioning"),
        ("Rep: We're built for operations with more than 13 sites.", "drift_category", "none"),
        ("Rep: The others do that as well.", "drift_severity", 0.4),
        ("Rep: The market is dying. The others do that.", "drift_severity", 0.85),
        ("Rep: Nice weather.", "drift_severity", None),
        ("Rep: They don't support SOC 2.", "competitor_claim_valid", False),
        ("Rep: Talkgrid charges a fee per site.", "competitor_claim_valid", True),
        ("Rep: Talkgrid is nice.", "competitor_claim_valid", None),
        ("Rep: Talkgrid charges $30 a seat.", "competitor_pricing_leaked", True),
        ("Rep: We charge $30 a seat. Talkgrid is nice.", "competitor_pricing_leaked", False),
        ("Prospect: Talkgrid charges $30 a seat.", "competitor_pricing_leaked", False),
        ("Rep: On Pro the list price is $35 a seat and month.", "pricing_reference_correct", True),
        ("Rep: On Pro the list price is $12 a seat and month.", "pricing_reference_correct",
         False),
        ("Rep: Nice weather.", "pricing_reference_correct", None),
    ],
)  # fmt: skip
def test_messaging_accuracy(said: str, key: str, expected: Any) -> None:
    assert answer("messaging_accuracy", SELLING + said, key)["value"] == expected


@pytest.mark.parametrize(
    ("said", "key", "expected"),
    [
        ("On Pro the list price is $35 a seat and month.", "quoted_prices",
         ["accurate | Pro | Rate Card | 2026-Q2 | On Pro the list price is $35 a seat and month."]),
        ("On Pro the list price is $35 a seat and month.", "pricing_tier_correct", True),
        ("On Enterprise the list price is $35 a seat and month.", "pricing_tier_correct", False),
        ("Nice weather.", "pricing_tier_correct", None),
        ("On Enterprise the list price is $35 a seat and month.", "pricing_misstated", True),
        ("You could take the Starter bundle.", "pricing_misstated", True),
        ("On Pro the list price is $35 a seat and month.", "pricing_misstated", False),
        ("I can take 8 percent off.", "discount_percent", 8.0),
        ("Nice weather.", "discount_percent", None),
        ("I can take 10 percent off.", "discount_authority_exceeded", False),
        ("I can take 11 percent off.", "discount_authority_exceeded", True),
        ("My manager has approved 15 percent off.", "discount_authority_exceeded", False),
        ("If you commit for two years the discount is 23 percent.",
         "discount_authority_exceeded", False),
        ("If you commit for two years the discount is 26 percent.",
         "discount_authority_exceeded", True),
        ("You could take the Signal Suite package.", "packaging_outdated", True),
        ("You could take the Pro plan.", "packaging_outdated", False),
        ("Nice weather.", "commercial_risk_level", "none"),
        ("You could take the Starter bundle.", "commercial_risk_level", "low"),
        ("I can take 30 percent off.", "commercial_risk_level", "medium"),
        ("I can take 30 percent off the Starter bundle.", "commercial_risk_level", "high"),
    ],
)  # fmt: skip
def test_commercial_accuracy(said: str, key: str, expected: Any) -> None:
    assert answer("commercial_accuracy", f"{SELLING}Rep: {said}", key)["value"] == expected


@pytest.mark.parametrize(
    ("said", "key", "expected"),
    [
        ("Rep: Talkgrid? They don't support SOC 2.", "battlecard_used", True),
        ("Prospect: They don't support SOC 2.", "battlecard_used", False),
        ("Rep: Talkgrid? They don't support SOC 2.", "outdated_claim", True),
        ("Rep: Brightpath stops without a signal.", "outdated_claim", False),
        ("Rep: Brightpath stops without a signal. They have no audit log, I mean it has no audit "
         "log.", "claims_accurate", 0.5),
        ("Rep: Brightpath is nice.", "claims_accurate", None),
        ("Prospect: Brightpath called.\nRep: Talkgrid cannot escalate an alert.", "competitor",
         "Talkgrid"),
        ("Prospect: Brightpath called.", "competitor", "Brightpath"),
        ("Rep: Nice weather.", "competitor", None),
        ("Rep: Brightpath stops without a signal.", "competitor_claims",
         ["accurate | no_offline_mode | Brightpath | v6 | Brightpath stops without a signal."]),
    ],
)  # fmt: skip
def test_battlecards(said: str, key: str, expected: Any) -> None:
    assert answer("battlecards", SELLING + said, key)["value"] == expected


@pytest.mark.parametrize(
    ("said", "key", "expected"),
    [
        ("", "rule_disclosure_sequence", "pass"),
        ("", "rule_state_consent", "not_applicable"),
        ("Customer: We're in Oregon.", "rule_state_consent", "not_applicable"),
        ("Customer: We're in Florida.", "rule_state_consent", "fail"),
        ("Customer: We're in Florida.\nAgent: I need your consent to the recording.",
         "rule_state_consent", "pass"),
        ("", "rule_mini_miranda", "not_applicable"),
        ("Customer: It's overdue.", "rule_mini_miranda", "fail"),
        ("Customer: It's overdue.\nAgent: This is an attempt to collect a debt.",
         "rule_mini_miranda", "pass"),
        ("", "rule_prohibited_phrases", "pass"),
        ("Agent: You have no choice here.", "rule_prohibited_phrases", "fail"),
        ("Customer: I have no choice. You have no choice.", "rule_prohibited_phrases", "pass"),
        ("Agent: You have no choice. This is your last chance.", "prohibited_phrases", 2.0),
        ("", "prohibited_phrases", 0.0),
        ("", "disclosure_compliance", 1.0),
        ("Customer: It's overdue, and we're in Florida.", "disclosure_compliance", 0.333),
        ("", "violations", []),
        ("Customer: It's overdue.", "violations",
         ["mini_miranda | fail | TCPA-v2026.1 | It's overdue."]),
        ("", "evidence_linked", True),
        ("Customer: It's overdue.", "evidence_linked", True),
        ("", "framework_version", documents.FRAMEWORK_VERSION),
    ],
)  # fmt: skip
def test_compliance_rules(said: str, key: str, expected: Any) -> None:
    assert answer("compliance_rules", SERVING + said, key)["value"] == expected


def test_a_disclosure_comes_before_anything_is_asked_or_it_is_a_violation() -> None:
    asked, disclosed = "Agent: May I verify your identity?", "Agent: This call is recorded."
    verdict = "rule_disclosure_sequence"
    late = answer("compliance_rules", f"{asked}\nCustomer: Yes.\n{disclosed}", verdict)
    assert late["value"] == "fail"
    assert late["evidence"] == ["May I verify your identity?", "This call is recorded."]
    never = "Agent: Hello.\nCustomer: Hello."
    assert answer("compliance_rules", never, verdict)["value"] == "fail"
    violations = answer("compliance_rules", never, "violations")["value"]
    assert violations == ["disclosure_sequence | fail | TCPA-v2026.1 | "]
    assert answer("compliance_rules", never, "evidence_linked")["value"] is False
    regret = f"{never}\nAgent: I should have said it at the start: we keep a copy."
    assert answer("compliance_rules", regret, verdict)["value"] == "fail"
    assert answer("compliance_rules", regret, "evidence_linked")["value"] is True


@pytest.mark.parametrize(
    ("said", "key", "expected"),
    [
        ("Agent: Yes.", "empathy_demonstrated", 0.3),
        ("Agent: That's not my department.", "empathy_demonstrated", 0.22),
        ("Agent: Yes.", "effort_reduction", 0.45),
        ("Agent: There's nothing more you have to do.", "effort_reduction", 0.65),
        ("Agent: Please fill in the form.", "effort_reduction", 0.3),
        ("Customer: I'll fill in the form.", "effort_reduction", 0.45),
        ("Agent: Yes.", "resolution_clarity", 0.35),
        ("Agent: The cause was a lock.", "resolution_clarity", 0.55),
        ("Agent: The cause was a lock.\nCustomer: That fixed it.", "resolution_clarity", 0.7),
        ("Agent: I think it's kind of working.", "resolution_clarity", 0.2),
        ("Agent: Yes.", "brand_alignment", 0.5),
        ("Agent: You're in good hands with us.", "brand_alignment", 0.7),
        ("Agent: Whatever, it's a bit of a mess.", "brand_alignment", 0.35),
    ],
)
def test_service_experience(said: str, key: str, expected: Any) -> None:
    assert answer("service_experience", f"Customer: Hello.\n{said}", key)["value"] == expected


@pytest.mark.parametrize(
    ("said", "key", "expected"),
    [
        ("Agent: Yes.", "frustration_frequency", 0.0),
        ("Agent: I'm at my limit today.", "frustration_frequency", 5.0),
        ("Customer: I'm at my limit today.", "frustration_frequency", 0.0),
        ("Agent: Yes.", "coaching_receptivity", None),
        ("Agent: My coach showed me a way.", "coaching_receptivity", 0.9),
        ("Agent: I'll skip that nonsense.", "coaching_receptivity", 0.1),
        ("Agent: My coach would ask, but I don't bother any more.", "coaching_receptivity", 0.1),
        ("Agent: Yes.", "energy_level", 4.0),
        ("Agent: I'm at my limit today. I'm so done with it. Calm down.", "energy_level", 1.0),
        ("Agent: I'm sorry. I understand. I hear you.", "energy_level", 5.0),
        ("Customer: Give me your manager.", "customer_escalated", True),
        ("Customer: Give me your number.", "customer_escalated", False),
    ],
)
def test_agent_wellbeing(said: str, key: str, expected: Any) -> None:
    assert answer("agent_wellbeing", f"Customer: Hello.\n{said}", key)["value"] == expected


def test_meddicc_counts_each_element_once_and_by_its_weight() -> None:
    said = {
        "metrics": "Our measure of success is speed.",
        "economic_buyer": "The money is released by our CFO.",
        "decision_criteria": "Our criteria are speed and price.",
        "decision_process": "There are two steps to a yes.",
        "identify_pain": "What hurts most is the night.",
        "champion": "I'll carry this inside.",
    }
    assert set(said) == set(documents.MEDDICC_ELEMENTS)
    assert answer("methodology_meddicc", SELLING, "framework_a_score")["value"] == 0.0
    total = 0.0
    for element, line in said.items():
        text = f"{SELLING}Prospect: {line} {line}"
        covered = {key: KITS["methodology_meddicc"].answer(text)[key]["value"] for key in said}
        assert [key for key, there in covered.items() if there] == [element]
        assert answer("methodology_meddicc", text, element)["evidence"] == [line]
        total += answer("methodology_meddicc", text, "framework_a_score")["value"]
    assert total == 100
    whole = f"{SELLING}Prospect: {' '.join(said.values())}"
    assert answer("methodology_meddicc", whole, "framework_a_score")["value"] == 100


def test_spiced_knows_which_steps_are_skipped_and_in_which_order() -> None:
    steps = {
        "situation": "So the situation today is this.",
        "pain": "And the pain behind it is that.",
        "impact": "So the impact is large.",
        "critical_event": "May is the date that everything hangs on.",
        "decision_process": "Let's map the way to a decision.",
        "budget_qual": "The budget question has to be asked.",
    }
    assert set(steps) == set(documents.SPICED_STEPS)

    def ask(*lines: str) -> dict[str, Any]:
        answers = KITS["methodology_spiced"].answer(f"{SELLING}Rep: {' '.join(lines)}")
        return {key: answer["value"] for key, answer in answers.items()}

    whole = ask(*steps.values())
    assert whole["steps_followed"] == 6
    assert whole["framework_adherence"] == 1
    assert whole["framework_b_score"] == 100
    assert (whole["deviation"], whole["steps_skipped"]) == ("none", [])
    backwards = ask(*reversed(steps.values()))
    assert backwards["deviation"] == "out_of_order"
    assert backwards["framework_adherence"] == 0.8
    assert backwards["framework_b_score"] == 95
    four = ask(*(steps[step] for step in ("situation", "pain", "impact", "decision_process")))
    assert four["steps_followed"] == 4
    assert four["deviation"] == "skipped_budget_qual"
    assert four["steps_skipped"] == ["budget_qual", "critical_event"]
    assert four["framework_adherence"] == 0.733
    assert four["step_critical_event"] is False
    without_one = ask(*(line for step, line in steps.items() if step != "impact"))
    assert without_one["deviation"] == "skipped_impact"
    assert ask("Nothing.")["framework_adherence"] == 0
    assert whole["framework"] == documents.SPICED_FRAMEWORK


@pytest.mark.parametrize(
    ("said", "key", "expected"),
    [
        ("I'll fight for it.", "champion_identified", True),
        ("IT has confirmed that it fits with our ERP.", "technical_fit_validated", True),
        ("The legal review is on Tuesday at 10.", "legal_review_scheduled", True),
        ("Legal has concerns about liability.", "legal_concerns_raised", True),
        ("I've sent the security questionnaire back.", "security_questionnaire_sent", True),
        ("We need a security review.", "security_review_needed", True),
        ("The price makes me hesitate.", "pricing_hesitation", True),
        ("We lose 12 hours a week.", "pain_quantified", True),
        ("We lose time.", "pain_quantified", False),
        ("Hello.", "discovery_depth", 20.0),
        ("We lose 12 hours a week.", "discovery_depth", 28.0),
        ("Hello.", "pain_specificity", 0.2),
        ("We lose 12 hours a week. To be exact: 12.", "pain_specificity", 0.55),
        ("Hello.", "buying_signal", 0.3),
        ("How soon could we start?", "buying_signal", 0.6),
        ("Hello.", "deal_confidence", 1.5),
        ("The budget is approved. I sign the order. I'll fight for it.", "deal_confidence", 4.5),
        ("My sponsor has left the company.", "deal_confidence", 1.0),
    ],
)
def test_qualification(said: str, key: str, expected: Any) -> None:
    assert answer("qualification", f"{SELLING}Prospect: {said}", key)["value"] == expected
    if expected is True:
        assert answer("qualification", f"{SELLING}Prospect: Hello.", key)["value"] is False
        assert answer("qualification", f"{SELLING}Rep: {said}", key)["value"] is False
        assert answer("qualification", f"{SELLING}Prospect: {said}", key)["evidence"] == [said]
