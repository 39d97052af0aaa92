{{ config(
    materialized='incremental',
    unique_key=['vendor', 'scorecard_date'],
    meta={
        'groups': {
            'of': 'int_interaction_quality_scores__dated',
            'by': ['vendor', 'scorecard_date'],
            'counted': 'conversations_scored',
        },
        'also': 'days_of_renamed_agents',
    },
) }}

with

dated as (

    select * from {{ ref('int_interaction_quality_scores__dated') }}
    where {{ is_changed() }}

),

reps as (

    select * from {{ ref('int_reps__identified') }}

),

averaged as (

    select
        vendor,
        agent_id,
        scorecard_date,
        channel,
        kit_version_id,
        count(*) as conversations_scored,
        avg(compliance_score) as compliance_score,
        avg(compliance_score_normalised) as compliance_score_normalised,
        avg(empathy_score) as empathy_score,
        avg(empathy_score_normalised) as empathy_score_normalised,
        avg(escalation_risk) as escalation_risk,
        avg(escalation_risk_normalised) as escalation_risk_normalised,
        count(case when resolution_achieved then 1 end) as conversations_resolved,
        count(resolution_achieved) as conversations_with_resolution,
        max(scored_at) as last_scored_at
    from dated
    group by vendor, agent_id, scorecard_date, channel, kit_version_id

),

topics as (

    select
        vendor,
        agent_id,
        scorecard_date,
        channel,
        kit_version_id,
        topic_primary,
        count(*) as topic_conversations
    from dated
    where topic_primary is not null
    group by vendor, agent_id, scorecard_date, channel, kit_version_id, topic_primary

),

-- Two topics named equally often: the first in the alphabet, so that every build agrees.
main_topics as (

    select * from topics
    qualify row_number() over (
        partition by vendor, agent_id, scorecard_date, channel, kit_version_id
        order by topic_conversations desc, topic_primary asc
    ) = 1

),

final as (

    select
        ---------- ids
        averaged.vendor || ':' || averaged.agent_id || ':' || cast(averaged.scorecard_date as varchar)
        || ':' || averaged.channel || ':' || averaged.kit_version_id as scorecard_key,
        averaged.vendor,
        averaged.agent_id,
        reps.rep_key,
        reps.rep_name as agent_name,
        averaged.scorecard_date,
        averaged.channel,
        averaged.kit_version_id,
        count(*) over (
            partition by averaged.vendor, averaged.agent_id, averaged.scorecard_date, averaged.channel
        ) as kit_versions_on_the_day,

        ---------- scores
        averaged.conversations_scored,
        averaged.compliance_score,
        averaged.compliance_score_normalised,
        averaged.empathy_score,
        averaged.empathy_score_normalised,
        averaged.escalation_risk,
        averaged.escalation_risk_normalised,
        averaged.conversations_resolved,
        averaged.conversations_with_resolution,
        cast(averaged.conversations_resolved as double)
        / nullif(averaged.conversations_with_resolution, 0) as resolution_achieved_share,
        main_topics.topic_primary,
        coalesce(main_topics.topic_conversations, 0) as topic_conversations,

        ---------- timestamps
        averaged.last_scored_at,
        {{ built_at() }} as built_at
    from averaged
    left join main_topics
        on
            averaged.vendor = main_topics.vendor
            and averaged.agent_id = main_topics.agent_id
            and averaged.scorecard_date = main_topics.scorecard_date
            and averaged.channel = main_topics.channel
            and averaged.kit_version_id = main_topics.kit_version_id
    left join reps
        on
            averaged.vendor = reps.vendor
            and averaged.agent_id = reps.owner_reference

)

select * from final
