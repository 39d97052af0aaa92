{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    meta={
        'reads': ['scores__interaction_quality', 'conversations', 'brick_scales'],
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

with

scores as (

    select * from {{ ref('int_interaction_quality_scores__latest') }}
    where {{ is_changed() }}

),

conversations as (

    select * from {{ ref('int_conversations__unioned') }}
    where {{ is_changed() }}

),

dated as (

    select
        scores.conversation_key,
        scores.vendor,
        coalesce(scores.agent_id, conversations.owner_id, 'unassigned') as agent_id,
        -- A conversation that is gone from landing keeps the day on which it was scored.
        {{ utc_date('coalesce(conversations.started_at, scores.scored_at)') }} as scorecard_date,
        coalesce(scores.channel, conversations.channel, 'unknown') as channel,
        scores.kit_version_id,
        scores.compliance_score,
        scores.compliance_score_normalised,
        scores.empathy_score,
        scores.empathy_score_normalised,
        scores.resolution_achieved,
        scores.escalation_risk,
        scores.escalation_risk_normalised,
        scores.topic_primary,
        scores.scored_at,
        {{ built_at() }} as built_at
    from scores
    left join conversations
        on scores.conversation_key = conversations.conversation_key

)

select * from dated
