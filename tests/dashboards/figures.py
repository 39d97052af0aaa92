"""For a page's table: what to ask for in its address, and the mart's own answer to that.

A page is not finished before it stands here: (slug, table) → (query string, SQL, columns of the CSV
that the SQL's columns are).
"""

from __future__ import annotations

FIGURES: dict[tuple[str, str], tuple[str, str, tuple[str, ...]]] = {
    ("overview", "freshness"): (
        "vendor=Gong&vendor=Chorus&days=2026-05-01&days=2026-06-29",
        "select case vendor when 'gong' then 'Gong' else 'Chorus' end, "
        "sum(listed), sum(landed), sum(scored), sum(pending) from marts.pipeline_health "
        "where vendor in ('gong', 'chorus') and date_day between '2026-05-01' and '2026-06-29' "
        "group by vendor",
        ("vendor", "listed", "landed", "scored", "pending"),
    ),
    ("overview", "changes"): (
        "channel=voice&days=2026-05-01&days=2026-06-14",
        "select 'Empathy', "
        "avg(empathy_score_normalised) filter (started_on between '2026-06-08' and '2026-06-14'), "
        "count(empathy_score) filter (started_on between '2026-06-08' and '2026-06-14'), "
        "avg(empathy_score_normalised) filter (started_on between '2026-06-01' and '2026-06-07') "
        "from marts.conversation_explorer where channel = 'voice' "
        "union all select 'Compliance', "
        "avg(compliance_score_normalised) "
        "filter (started_on between '2026-06-08' and '2026-06-14'), "
        "count(compliance_score) filter (started_on between '2026-06-08' and '2026-06-14'), "
        "avg(compliance_score_normalised) "
        "filter (started_on between '2026-06-01' and '2026-06-07') "
        "from marts.conversation_explorer where channel = 'voice' "
        "union all select 'Escalation risk', "
        "avg(escalation_risk_normalised) filter (started_on between '2026-06-08' and '2026-06-14'),"
        "count(escalation_risk) filter (started_on between '2026-06-08' and '2026-06-14'), "
        "avg(escalation_risk_normalised) filter (started_on between '2026-06-01' and '2026-06-07') "
        "from marts.conversation_explorer where channel = 'voice' "
        "union all select 'Deal score', "
        "avg(overall_score_normalised) filter (started_on between '2026-06-08' and '2026-06-14'), "
        "count(overall_score) filter (started_on between '2026-06-08' and '2026-06-14'), "
        "avg(overall_score_normalised) filter (started_on between '2026-06-01' and '2026-06-07') "
        "from marts.conversation_explorer where channel = 'voice'",
        ("measure", "now", "n_now", "before"),
    ),
    ("agent_scorecards", "agents"): (
        "vendor=CallMiner&days=2026-05-01&days=2026-06-29",
        "select agent_name, sum(conversations_scored), "
        "sum(compliance_score_normalised * conversations_scored) / sum(conversations_scored), "
        "sum(conversations_resolved) / sum(conversations_with_resolution) "
        "from marts.agent_daily_scorecards where vendor = 'callminer' "
        "and scorecard_date between '2026-05-01' and '2026-06-29' "
        "group by agent_name, kit_version_id",
        ("agent", "conversations", "compliance", "resolved"),
    ),
    ("coaching_alerts", "closed"): (
        "closed_alerts=true&days=2026-05-01&days=2026-06-29",
        "select rep_name, calls_below, score_normalised, threshold_normalised "
        "from marts.coaching_alerts where not is_open "
        "and last_call_on between '2026-05-01' and '2026-06-29'",
        ("person", "calls_below", "score_normalised", "threshold_normalised"),
    ),
    ("alert_queue", "alerts"): (
        "vendor=Gong&days=2026-06-01&days=2026-06-29",
        "select conversation_key, rule, recipient, score_normalised from marts.alert_queue "
        "where vendor = 'gong' and started_on between '2026-06-01' and '2026-06-29'",
        ("conversation_key", "rule", "recipient", "score_normalised"),
    ),
    ("ramp", "newcomers"): (
        "left=true",
        "select rep_name, skill, ramp_status, week_number, score_normalised, calls_in_window "
        "from marts.rep_ramp_tracker where is_latest_week",
        ("person", "skill", "ramp_status", "week_number", "score_normalised", "calls_in_window"),
    ),
    ("certification", "people"): (
        "left_certification=true",
        "select rep_name, certification_status, readiness_normalised, calls_until_certified, "
        "weak_areas from marts.rep_certification_tracker",
        (
            "person",
            "certification_status",
            "readiness_normalised",
            "calls_until_certified",
            "weak_areas",
        ),
    ),
    ("win_loss", "sets"): (
        "",
        "select conditions, deals_with, win_rate_with, deals_without, win_rate_without "
        "from marts.win_loss_analysis",
        ("conditions", "deals_with", "win_rate_with", "deals_without", "win_rate_without"),
    ),
    ("win_loss", "signals"): (
        "segment=enterprise",
        "select signal, value_band, deals_with, win_rate_with, deals_without "
        "from marts.qualification_signal_win_rates "
        "where cadence_name = 'all' and segment = 'enterprise'",
        ("signal", "value_band", "deals_with", "win_rate_with", "deals_without"),
    ),
    ("deals", "deals"): (
        "closed_deals=true",
        "select o.opportunity_id, o.stage, o.amount_usd, s.deal_score_normalised "
        "from marts.dim_opportunities as o "
        "left join marts.unified_deal_scores as s on o.opportunity_id = s.opportunity_id "
        "where not o.is_closed or s.opportunity_id is not null",
        ("opportunity_id", "stage", "amount_usd", "deal_score_normalised"),
    ),
    ("conversation", "signals"): (
        "",
        "select kit_name, brick_key, confidence from marts.fct_brick_values where is_latest "
        "and conversation_key = (select conversation_key from marts.conversation_explorer "
        "where is_scored order by started_at desc limit 1)",
        ("kit_name", "brick_key", "confidence"),
    ),
    ("attrition", "agents"): (
        "team=Customer Care",
        "select rep_name, risk_status, risk_score, risk_source, conversation_count, "
        "coaching_receptivity from workforce.agent_attrition_risk where team = 'Customer Care'",
        (
            "agent",
            "risk_status",
            "risk_score",
            "risk_source",
            "conversation_count",
            "coaching_receptivity",
        ),
    ),
    ("compliance", "rules"): (
        "days=2026-05-04&days=2026-06-28",
        "select rule_title, sum(conversation_count), "
        "sum(conversation_count) - sum(conversations_passed), "
        "1 - sum(conversations_passed) / sum(conversation_count) from marts.compliance_trends "
        "where week_start between '2026-05-04' and '2026-06-28' "
        "group by rule_title, kit_version_id",
        ("rule_title", "conversations", "broken", "broken_share"),
    ),
    ("compliance", "register"): (
        "team=Customer Care&days=2026-05-01&days=2026-06-14",
        "select violation_key, conversation_key, rule, framework_version, agent_name "
        "from marts.compliance_evidence_register where team = 'Customer Care' "
        "and started_on between '2026-05-01' and '2026-06-14'",
        ("violation_key", "conversation_key", "rule", "framework_version", "agent_name"),
    ),
    ("channels", "gaps"): (
        "quarter=Q2 2026&channel=chat&channel=voice",
        "select brick_key, channel, conversation_count, score_normalised, gap_points, gap_percent "
        "from marts.omnichannel_consistency where period_grain = 'quarter' "
        "and period_start = '2026-04-01' and channel in ('chat', 'voice')",
        (
            "brick_key",
            "channel",
            "conversation_count",
            "score_normalised",
            "gap_points",
            "gap_percent",
        ),
    ),
    ("territories", "territories"): (
        "month=June 2026",
        "select territory, calls, discovery_depth_normalised, competitive_mention_share, "
        "competitive_mention_ratio, pricing_hesitation_level, deals_closed, recommendation "
        "from marts.territory_intelligence where month_start = '2026-06-01'",
        (
            "territory",
            "calls",
            "discovery_depth_normalised",
            "competitive_mention_share",
            "competitive_mention_ratio",
            "pricing_hesitation_level",
            "deals_closed",
            "recommendation",
        ),
    ),
    ("methodology_ab", "segments"): (
        "",
        "select case scope when 'overall' then 'All segments' "
        "else upper(segment[1]) || segment[2:] end, call_count, deal_count, won_deal_count, "
        "win_correlation_a, win_correlation_b_upper, score_difference_normalised, "
        "false_positive_deals_b, verdict from marts.methodology_ab_test",
        (
            "segment",
            "call_count",
            "deal_count",
            "won_deal_count",
            "win_correlation_a",
            "win_correlation_b_upper",
            "score_difference_normalised",
            "false_positive_deals_b",
            "verdict",
        ),
    ),
    # Whole weeks: the page counts calls, the mart has their weeks.
    ("adherence", "steps"): (
        "framework=meddicc_v2%20(methodology_meddicc%20v1)&days=2026-05-04&days=2026-06-14",
        "select step_title, sum(call_count), sum(skipped_count), "
        "sum(skipped_count) / sum(call_count), sum(discovery_call_count) "
        "from marts.framework_adherence_weekly where framework = 'meddicc_v2' "
        "and week_start between '2026-05-04' and '2026-06-08' group by step_title",
        ("step_title", "calls", "skipped", "share", "discovery_calls"),
    ),
    ("adherence", "coverage"): (
        "framework=internal_spiced_v3%20(methodology_spiced%20v1)",
        "select element, deal_count, zero_coverage_share, other_deal_count, "
        "other_zero_coverage_share from marts.methodology_coverage_by_outcome "
        "where framework = 'internal_spiced_v3' and outcome = 'lost'",
        ("element", "deal_count", "zero_coverage_share", "won_deals", "won_share"),
    ),
    ("cadences", "steps"): (
        "",
        "select cadence_name, step_number, calls, violations, violation_share, "
        "quality_score_normalised, recommendation from marts.cadence_step_quality_audit",
        (
            "cadence_name",
            "step_number",
            "calls",
            "violations",
            "violation_share",
            "quality_score_normalised",
            "recommendation",
        ),
    ),
    ("cadences", "cadences"): (
        "cadence=Inbound%20Follow-up",
        "select cadence_name, calls, buying_signal_normalised, buying_signal_ratio_to_lowest, "
        "discovery_depth_ratio_to_lowest from marts.cadence_quality_comparison",
        (
            "cadence_name",
            "calls",
            "buying_signal_normalised",
            "buying_signal_ratio_to_lowest",
            "discovery_depth_ratio_to_lowest",
        ),
    ),
    ("messaging_drift", "elements"): (
        "vendor=Gong&days=2026-05-01&days=2026-06-29",
        "select element, count(*), avg(is_approved::int), "
        "round(3000 * regr_slope(is_approved::int, days_since_enablement), 6), "
        "round(3000 * (regr_slope(is_approved::int, days_since_enablement) - 1.959963984540054 "
        "* sqrt((regr_syy(is_approved::int, days_since_enablement) "
        "- power(regr_sxy(is_approved::int, days_since_enablement), 2) "
        "/ regr_sxx(is_approved::int, days_since_enablement)) / (count(*) - 2) "
        "/ regr_sxx(is_approved::int, days_since_enablement))), 6) "
        "from marts.messaging_drift_elements where conversation_key like 'gong:%' "
        "and days_since_enablement is not null "
        "and started_on between '2026-05-01' and '2026-06-29' group by element, kit_version_id",
        ("element", "calls", "approved_share", "points_per_30_days", "lower"),
    ),
    ("messaging_drift", "versions"): (
        "",
        "select document, document_version, kit_version_id, version_claim_count, "
        "adoption_lag_days, adoption_status from marts.messaging_adoption_lag",
        (
            "document",
            "document_version",
            "kit_version_id",
            "version_claim_count",
            "adoption_lag_days",
            "adoption_status",
        ),
    ),
    # Whole weeks, which the weekly mart knows.
    ("product_claims", "areas"): (
        "days=2026-05-04&days=2026-06-28",
        "select knowledge_area, sum(claims_checked), sum(claims_incorrect), sum(claims_imprecise), "
        "sum(claims_outdated), 1 - sum(claims_correct) / sum(claims_checked) "
        "from marts.product_claim_accuracy_weekly where scope = 'area' "
        "and week_start between '2026-05-04' and '2026-06-22' "
        "group by knowledge_area, kit_version_id",
        ("knowledge_area", "claims", "inaccurate", "imprecise", "outdated", "wrong_share"),
    ),
    ("product_claims", "claims"): (
        "area=API+limits&vendor=Gong&days=2026-05-01&days=2026-06-29",
        "select claim_key, documented_fact, cited_version from marts.product_claim_accuracy "
        "where knowledge_area = 'api_limits' and vendor = 'gong' and not is_correct "
        "and started_on between '2026-05-01' and '2026-06-29'",
        ("claim_key", "documented_fact", "cited_version"),
    ),
    ("pricing_accuracy", "people"): (
        "days=2026-06-08&days=2026-06-14",
        "select rep_name, calls_with_pricing, calls_at_risk, calls_at_risk_unlinked, "
        "calls_price_outdated, deals_at_risk, amount_at_risk_usd, open_amount_at_risk_usd "
        "from marts.pricing_risk_exposure_weekly "
        "where scope = 'rep' and week_start = '2026-06-08'",
        (
            "rep_name",
            "calls_with_pricing",
            "calls_at_risk",
            "unlinked",
            "price_outdated",
            "deals",
            "amount_usd",
            "open_amount_usd",
        ),
    ),
    ("battlecard_accuracy", "competitors"): (
        "days=2026-05-01&days=2026-05-31",
        "select competitor, claims_checked, claims_accurate, claims_outdated, "
        "claims_accurate / claims_checked, "
        "case action when 'up_to_date' then 'Up to date' when 'update' then 'Update' "
        "else 'Urgent update' end, battlecard_version from marts.battlecard_accuracy "
        "where scope = 'competitor' and month_start = '2026-05-01'",
        (
            "competitor",
            "claims",
            "accurate",
            "outdated",
            "holds_share",
            "action",
            "battlecard_version",
        ),
    ),
}
