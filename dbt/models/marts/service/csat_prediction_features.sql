with

quality as (
    {{ latest_bricks(
        'interaction_quality',
        numbers=['empathy_score', 'compliance_score', 'escalation_risk'],
        booleans=['resolution_achieved'],
        texts=['topic_primary'],
    ) | indent(4) }}

),

experience as (
    {{ latest_bricks('service_experience', numbers=['effort_reduction']) }}

),

-- Nothing but the conversation itself: no other conversation, no history, nothing after it.
features as (

    select
        conversations.conversation_key,
        conversations.vendor,
        conversations.conversation_id,
        conversations.channel,
        conversations.started_on,
        conversations.duration_seconds,
        conversations.utterance_count,
        conversations.rep_talk_share,
        quality.empathy_score,
        quality.empathy_score_normalised,
        quality.compliance_score,
        quality.compliance_score_normalised,
        quality.escalation_risk,
        quality.escalation_risk_normalised,
        quality.resolution_achieved,
        quality.topic_primary,
        quality.kit_version_id as interaction_quality_kit_version_id,
        experience.effort_reduction,
        experience.effort_reduction_normalised,
        experience.kit_version_id as service_experience_kit_version_id
    from {{ ref('fct_conversations') }} as conversations
    left join quality
        on conversations.conversation_key = quality.conversation_key
    left join experience
        on conversations.conversation_key = experience.conversation_key
    where
        conversations.vendor in ('{{ var("service_vendors") | join("', '") }}')
        and (quality.conversation_key is not null or experience.conversation_key is not null)

),

final as (

    select
        features.*,
        surveys.score_of_five as survey_score_of_five,
        (surveys.score_of_five - 1) / cast(4 as double) as survey_score_normalised,
        surveys.answered_on as survey_answered_on
    from features
    left join {{ ref('stg_reference__csat_surveys') }} as surveys
        on features.conversation_key = surveys.conversation_key

)

select * from final
