"""Which bricks, and which tables beside conversations, each mart is built from.

A brick is ``kit.brick``. What is counted over calls (trends, rates, calls until certified) is
for the warehouse to work out and so is not here.
"""

from __future__ import annotations

from collections.abc import Mapping

_IQ = "interaction_quality"
_DEAL = "deal_signals"
_FIT = "qualification"
_SKILL = "coaching_skills"
_SAID = "messaging_accuracy"
_PRICE = "commercial_accuracy"
_RULE = "compliance_rules"
_CARE = "service_experience"
_AGENT = "agent_wellbeing"
_A, _B = "methodology_meddicc", "methodology_spiced"
_RIVAL = "battlecards"


def _of(kit: str, *bricks: str) -> tuple[str, ...]:
    return tuple(f"{kit}.{brick}" for brick in bricks)


MARTS: Mapping[str, tuple[str, ...]] = {
    "agent_daily_scorecards": _of(
        _IQ, "compliance_score", "empathy_score", "resolution_achieved", "escalation_risk",
        "topic_primary",
    ),
    "compliance_trends": (
        *_of(_RULE, "framework_version", "disclosure_compliance", "prohibited_phrases",
             "evidence_linked"),
        *_of(_IQ, "compliance_score"),
    ),
    "compliance_framework_coverage": _of(
        _RULE, "rule_disclosure_sequence", "rule_state_consent", "rule_prohibited_phrases",
        "rule_mini_miranda", "framework_version",
    ),
    "compliance_evidence_register": _of(_RULE, "violations", "evidence_linked"),
    "csat_prediction_features": (
        *_of(_IQ, "empathy_score", "resolution_achieved", "escalation_risk", "topic_primary"),
        *_of(_CARE, "effort_reduction"),
    ),
    "agent_attrition_features": (
        *_of(_AGENT, "frustration_frequency", "coaching_receptivity", "energy_level",
             "customer_escalated"),
        *_of(_IQ, "empathy_score", "compliance_score"),
    ),
    "agent_attrition_risk": _of(_AGENT, "frustration_frequency", "coaching_receptivity"),
    "omnichannel_consistency": _of(
        _CARE, "empathy_demonstrated", "resolution_clarity", "effort_reduction",
        "brand_alignment",
    ),
    "methodology_ab_test": (*_of(_A, "framework_a_score"), *_of(_B, "framework_b_score")),
    "methodology_adherence": _of(
        _A, "metrics", "economic_buyer", "decision_criteria", "decision_process",
        "identify_pain", "champion",
    ),
    "framework_adherence_weekly": _of(
        _B, "framework", "framework_adherence", "steps_followed", "deviation", "steps_skipped",
        "step_situation", "step_pain", "step_impact", "step_critical_event",
        "step_decision_process", "step_budget_qual",
    ),
    "cadence_step_quality_audit": (
        *_of(_DEAL, "overall_score"), *_of(_SAID, "competitor_pricing_leaked"),
    ),
    "cadence_quality_comparison": (
        *_of(_FIT, "buying_signal", "pain_specificity", "discovery_depth"),
        *_of(_DEAL, "pain_severity"),
    ),
    "qualification_signal_win_rates": _of(
        _DEAL, "budget_confirmed", "decision_maker_present", "pain_severity",
        "competitive_pressure", "timeline_urgency",
    ),
    "rep_ramp_tracker": _of(
        _SKILL, "objection_handling_score", "discovery_score", "closing_score",
        "value_articulation_clarity",
    ),
    "territory_intelligence": (
        *_of(_FIT, "discovery_depth", "pricing_hesitation"),
        *_of(_DEAL, "competitors_mentioned"),
    ),
    "unified_deal_scores": (
        *_of(_DEAL, "overall_score", "budget_confirmed", "decision_maker_present"),
        *_of(_FIT, "champion_identified", "technical_fit_validated"),
    ),
    "deal_signal_coverage": (
        *_of(_DEAL, "budget_confirmed", "decision_maker_present"),
        *_of(_FIT, "technical_fit_validated", "legal_concerns_raised", "champion_identified",
             "security_review_needed", "pain_quantified"),
    ),
    "deal_readiness": (
        *_of(_DEAL, "budget_confirmed", "decision_maker_present"),
        *_of(_FIT, "pain_quantified", "legal_review_scheduled", "security_questionnaire_sent"),
    ),
    "win_loss_analysis": (
        *_of(_DEAL, "budget_confirmed", "decision_maker_present"), *_of(_FIT, "discovery_depth"),
    ),
    "product_claim_accuracy": _of(
        _SAID, "claims", "feature_accuracy", "feature_claim_accurate", "integration_overstated",
        "competitor_claim_valid", "knowledge_gap_area",
    ),
    "pricing_accuracy": (
        *_of(_PRICE, "pricing_tier_correct", "discount_authority_exceeded", "discount_percent",
             "packaging_outdated", "pricing_misstated", "commercial_risk_level",
             "quoted_prices"),
        *_of(_SAID, "pricing_reference_correct"),
    ),
    "battlecard_accuracy": _of(
        _RIVAL, "claims_accurate", "outdated_claim", "battlecard_used", "competitor",
        "competitor_claims",
    ),
    "messaging_drift": _of(
        _SAID, "approved_messaging_used", "drift_category", "drift_severity", "messages",
    ),
    "messaging_adoption_lag": _of(_SAID, "messages", "claims"),
    "coaching_alerts": _of(
        _SKILL, "objection_handling_score", "discovery_technique_depth",
        "value_articulation_clarity",
    ),
    "rep_certification_tracker": _of(
        _SKILL, "objection_handling_score", "discovery_score", "closing_score",
    ),
    "deal_risk_evidence": _of(_DEAL, "risk_flag"),
    "conversation_weighted_forecast": (
        *_of(_FIT, "deal_confidence", "champion_identified"), *_of(_DEAL, "risk_flag"),
    ),
    "crm_writeback_opportunities": (
        *_of(_DEAL, "overall_score", "risk_flag", "pain_point"),
        *_of(_FIT, "deal_confidence", "champion_identified"),
    ),
    "crm_writeback_contacts": _of(
        _IQ, "compliance_score", "empathy_score", "escalation_risk",
    ),
    "alert_queue": (*_of(_DEAL, "risk_flag", "overall_score"), *_of(_IQ, "compliance_score")),
    "conversation_explorer": (),
    "pipeline_health": (),
}  # fmt: skip

TABLES: Mapping[str, tuple[str, ...]] = {
    "compliance_trends": ("compliance_rules",),
    "compliance_framework_coverage": ("compliance_rules",),
    "compliance_evidence_register": ("compliance_rules",),
    "csat_prediction_features": ("csat_surveys",),
    "agent_attrition_features": ("crm_users", "hr_attrition"),
    "methodology_ab_test": ("crm_opportunities",),
    "methodology_adherence": ("crm_opportunities", "framework_steps"),
    "framework_adherence_weekly": ("framework_steps", "grounding_documents"),
    "cadence_step_quality_audit": ("cadences", "cadence_steps", "cadence_activities"),
    "cadence_quality_comparison": ("cadences", "cadence_activities"),
    "qualification_signal_win_rates": ("crm_opportunities", "cadences", "cadence_activities"),
    "rep_ramp_tracker": ("crm_users", "skill_thresholds"),
    "territory_intelligence": ("crm_accounts", "crm_opportunities"),
    "unified_deal_scores": ("crm_opportunities", "qualification_signals"),
    "deal_signal_coverage": ("qualification_signals",),
    "deal_readiness": ("crm_opportunities", "qualification_signals"),
    "win_loss_analysis": ("crm_opportunities",),
    "product_claim_accuracy": ("grounding_documents", "grounding_facts"),
    "pricing_accuracy": ("rate_card", "discount_authority", "crm_opportunities"),
    "battlecard_accuracy": ("battlecards", "battlecard_claims"),
    "messaging_drift": ("enablement_events",),
    "messaging_adoption_lag": ("grounding_documents",),
    "coaching_alerts": ("training_events", "skill_thresholds"),
    "rep_certification_tracker": ("certification_rubrics",),
    "deal_risk_evidence": ("crm_opportunities", "crm_contacts"),
    "conversation_weighted_forecast": ("crm_opportunities", "stage_probabilities"),
    "crm_writeback_contacts": ("crm_contacts", "crm_accounts"),
    "alert_queue": ("alert_routes",),
}
