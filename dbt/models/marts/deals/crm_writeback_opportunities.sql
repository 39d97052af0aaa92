with

deal_signals as (
    {{ latest_bricks('deal_signals', numbers=['overall_score'], booleans=['risk_flag'], texts=['pain_point']) }}

),

qualification as (
    {{ latest_bricks('qualification', numbers=['deal_confidence'], booleans=['champion_identified']) }}

),

-- Of a deal's conversations that were scored, the last one.
latest as (

    select
        links.opportunity_id,
        links.conversation_key,
        links.vendor,
        links.started_on,
        deal_signals.overall_score,
        deal_signals.overall_score_normalised,
        deal_signals.risk_flag,
        deal_signals.pain_point,
        deal_signals.kit_version_id,
        deal_signals.scored_at
    from {{ ref('bridge_conversation_opportunities') }} as links
    inner join deal_signals
        on links.conversation_key = deal_signals.conversation_key
    where links.is_linked
    qualify row_number() over (
        partition by links.opportunity_id
        order by links.started_on desc, deal_signals.scored_at desc, links.conversation_key desc
    ) = 1

),

final as (

    select
        latest.opportunity_id,
        latest.conversation_key,
        latest.vendor,
        latest.started_on,
        latest.overall_score,
        latest.overall_score_normalised,
        latest.risk_flag,
        latest.pain_point,
        latest.kit_version_id as deal_signals_kit_version_id,
        qualification.deal_confidence,
        qualification.deal_confidence_normalised,
        qualification.champion_identified,
        qualification.kit_version_id as qualification_kit_version_id,
        conversations.rep_talk_share,
        latest.scored_at
    from latest
    left join qualification
        on latest.conversation_key = qualification.conversation_key
    left join {{ ref('fct_conversations') }} as conversations
        on latest.conversation_key = conversations.conversation_key

)

select * from final
