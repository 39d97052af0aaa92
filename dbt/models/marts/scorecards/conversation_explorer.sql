{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    cluster_by=['started_on', 'vendor'],
    meta={
        'reads': ['conversations', 'utterances', 'ledger', 'runs', 'scores__interaction_quality', 'scores__deal_signals', 'brick_scales'],
        'also': 'conversations_of_renamed_reps',
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

with

conversations as (

    select * from {{ ref('fct_conversations') }}
    where {{ is_changed() }}

),

reps as (

    select * from {{ ref('dim_reps') }}

),

interaction_quality as (

    select * from {{ ref('int_interaction_quality_scores__latest') }}
    where {{ is_changed() }}

),

deal_signals as (

    select * from {{ ref('int_deal_signals_scores__latest') }}
    where {{ is_changed() }}

),

final as (

    select
        ---------- ids
        conversations.conversation_key,
        conversations.vendor,
        conversations.conversation_id,
        conversations.opportunity_id,
        conversations.rep_key,

        ---------- dimensions
        reps.rep_name,
        reps.rep_email,
        conversations.title,
        conversations.channel,
        conversations.direction,
        conversations.account_name,
        conversations.url,
        {%- for dimension in shared_dimensions() %}
        conversations.{{ dimension }},
        {%- endfor %}
        conversations.transcript_status,
        conversations.is_scored,
        conversations.is_deleted,

        ---------- when, and how long
        conversations.started_on,
        conversations.started_at,
        conversations.duration_seconds,
        conversations.participant_count,
        conversations.utterance_count,
        conversations.rep_talk_share,
        conversations.longest_utterance_seconds,

        ---------- kit: interaction quality
        interaction_quality.kit_version_id as interaction_quality_kit_version_id,
        interaction_quality.scored_at as interaction_quality_scored_at,
        interaction_quality.compliance_score,
        interaction_quality.compliance_score_normalised,
        interaction_quality.empathy_score,
        interaction_quality.empathy_score_normalised,
        interaction_quality.resolution_achieved,
        interaction_quality.escalation_risk,
        interaction_quality.escalation_risk_normalised,
        interaction_quality.topic_primary,

        ---------- kit: deal signals
        deal_signals.kit_version_id as deal_signals_kit_version_id,
        deal_signals.scored_at as deal_signals_scored_at,
        deal_signals.overall_score,
        deal_signals.overall_score_normalised,
        deal_signals.risk_flag,
        deal_signals.pain_point,
        deal_signals.budget_confirmed,
        deal_signals.decision_maker_present,
        deal_signals.pain_severity,
        deal_signals.pain_severity_normalised,
        deal_signals.competitive_pressure,
        deal_signals.competitive_pressure_normalised,
        deal_signals.timeline_urgency,
        deal_signals.next_step_confirmed,
        deal_signals.competitors_mentioned,
        {{ built_at() }} as built_at
    from conversations
    left join reps
        on conversations.rep_key = reps.rep_key
    left join interaction_quality
        on conversations.conversation_key = interaction_quality.conversation_key
    left join deal_signals
        on conversations.conversation_key = deal_signals.conversation_key

)

select * from final
