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
    ("deals", "platforms"): (
        "deal=006snnuYhnO5Bg8AEF",
        "select count(distinct c.conversation_key), avg(c.overall_score_normalised), "
        "max(c.started_on) from marts.bridge_conversation_opportunities as b "
        "inner join marts.conversation_explorer as c on b.conversation_key = c.conversation_key "
        "where b.opportunity_id = '006snnuYhnO5Bg8AEF' and b.is_linked "
        "and c.overall_score is not null group by c.vendor, c.deal_signals_kit_version_id",
        ("conversations", "score", "last"),
    ),
    ("deals", "signals"): (
        "deal=006snnuYhnO5Bg8AEF",
        "select signal_title, first_seen_on, conversation_count "
        "from marts.deal_signal_coverage where opportunity_id = '006snnuYhnO5Bg8AEF'",
        ("signal_title", "first_seen_on", "conversation_count"),
    ),
    ("conversation", "signals"): (
        "",
        "select kit_name, brick_key, confidence from marts.fct_brick_values where is_latest "
        "and conversation_key = (select conversation_key from marts.conversation_explorer "
        "where is_scored order by started_at desc limit 1)",
        ("kit_name", "brick_key", "confidence"),
    ),
}
