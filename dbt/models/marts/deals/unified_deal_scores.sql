with

scores as (
    {{ latest_bricks('deal_signals', numbers=['overall_score']) }}

),

seen as (
    {{ deal_signals_seen() }}

),

signals as (

    select
        conversation_key,
        count(*) as signal_count
    from seen
    where counts_for_coverage
    group by conversation_key

),

scored as (

    select
        links.opportunity_id,
        links.conversation_key,
        links.vendor,
        links.started_on,
        scores.kit_version_id,
        scores.overall_score,
        scores.overall_score_normalised,
        coalesce(signals.signal_count, 0) as signal_count
    from {{ ref('bridge_conversation_opportunities') }} as links
    inner join scores
        on links.conversation_key = scores.conversation_key
    left join signals
        on links.conversation_key = signals.conversation_key
    where
        links.is_linked
        and scores.overall_score is not null

),

summed as (

    select
        opportunity_id,
        kit_version_id,
        count(*) as conversation_count,
        count(distinct vendor) as source_count,
        cast(sum(signal_count) as bigint) as signal_count,
        sum(overall_score * signal_count) / nullif(sum(signal_count), 0) as deal_score,
        sum(overall_score_normalised * signal_count)
        / nullif(sum(case when overall_score_normalised is not null then signal_count end), 0)
            as deal_score_normalised,
        avg(overall_score) as mean_score,
        min(started_on) as first_conversation_on,
        max(started_on) as last_conversation_on
    from scored
    group by opportunity_id, kit_version_id

),

final as (

    select
        summed.opportunity_id || ':' || summed.kit_version_id as deal_score_key,
        summed.opportunity_id,
        summed.kit_version_id,
        opportunities.opportunity_name,
        opportunities.account_name,
        opportunities.segment,
        opportunities.stage,
        opportunities.amount_usd,
        opportunities.is_closed,
        opportunities.is_won,
        summed.deal_score,
        summed.deal_score_normalised,
        summed.mean_score,
        summed.signal_count,
        summed.conversation_count,
        summed.source_count,
        summed.first_conversation_on,
        summed.last_conversation_on
    from summed
    inner join {{ ref('dim_opportunities') }} as opportunities
        on summed.opportunity_id = opportunities.opportunity_id

)

select * from final
