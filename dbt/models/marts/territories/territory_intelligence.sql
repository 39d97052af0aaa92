{%- set limits = var('territory_intelligence') %}
{%- set error = standard_error('discovery_depth_normalised') %}

with

qualification as (
    {{ latest_bricks('qualification', numbers=['discovery_depth'], booleans=['pricing_hesitation']) }}

),

competition as (

    select
        conversation_key,
        max(kit_version_id) as kit_version_id,
        max(case when value_list <> '[]' then 1 else 0 end) as is_mentioned
    from {{ ref('fct_brick_values') }}
    where
        is_latest
        and kit_name = 'deal_signals'
        and brick_key = 'competitors_mentioned'
        and value_list is not null
    group by conversation_key

),

calls as (

    select
        accounts.territory,
        cast({{ dbt.date_trunc('month', 'links.started_on') }} as date) as month_start,
        qualification.kit_version_id as qualification_kit_version_id,
        competition.kit_version_id as deal_signals_kit_version_id,
        qualification.discovery_depth,
        qualification.discovery_depth_normalised,
        qualification.pricing_hesitation,
        competition.is_mentioned
    from qualification
    inner join competition
        on qualification.conversation_key = competition.conversation_key
    inner join {{ ref('bridge_conversation_opportunities') }} as links
        on qualification.conversation_key = links.conversation_key
    left join {{ ref('dim_accounts') }} as accounts
        on links.account_id = accounts.account_id
    where
        qualification.discovery_depth is not null
        and qualification.pricing_hesitation is not null

),

averaged as (

    select
        territory,
        month_start,
        qualification_kit_version_id,
        deal_signals_kit_version_id,
        count(*) as calls,
        count(*) >= {{ var('minimum_n') }} as has_enough_data,
        avg(discovery_depth) as discovery_depth,
        avg(discovery_depth_normalised) as discovery_depth_normalised,
        {{ mean_lower('avg(discovery_depth_normalised)', error, 'count(discovery_depth_normalised)') }} as discovery_depth_normalised_lower,
        {{ mean_upper('avg(discovery_depth_normalised)', error, 'count(discovery_depth_normalised)') }} as discovery_depth_normalised_upper,
        cast(sum(is_mentioned) as bigint) as calls_with_competitor,
        cast(sum(is_mentioned) as double) / count(*) as competitive_mention_share,
        count(case when pricing_hesitation then 1 end) as calls_with_hesitation,
        cast(count(case when pricing_hesitation then 1 end) as double) / count(*) as pricing_hesitation_share
    from calls
    where territory is not null
    group by territory, month_start, qualification_kit_version_id, deal_signals_kit_version_id

),

-- By the versions too, as each row counts its own.
without_territory as (

    select
        month_start,
        qualification_kit_version_id,
        deal_signals_kit_version_id,
        count(*) as calls_without_territory
    from calls
    where territory is null
    group by month_start, qualification_kit_version_id, deal_signals_kit_version_id

),

closed as (

    select
        territory,
        cast({{ dbt.date_trunc('month', 'closed_on') }} as date) as month_start,
        count(*) as deals_closed,
        count(case when is_won then 1 end) as deals_won
    from {{ ref('dim_opportunities') }}
    where
        is_closed
        and territory is not null
    group by territory, cast({{ dbt.date_trunc('month', 'closed_on') }} as date)

),

-- The territory, with enough data, where competitors are named least.
baselines as (

    select
        territory,
        month_start,
        qualification_kit_version_id,
        deal_signals_kit_version_id,
        calls,
        calls_with_competitor,
        competitive_mention_share
    from averaged
    where has_enough_data
    qualify row_number() over (
        partition by month_start, qualification_kit_version_id, deal_signals_kit_version_id
        order by competitive_mention_share asc, territory asc
    ) = 1

),

compared as (

    select
        averaged.*,
        baselines.territory as baseline_territory,
        case
            when averaged.has_enough_data
                then round(averaged.competitive_mention_share / nullif(baselines.competitive_mention_share, 0), 6)
        end as competitive_mention_ratio,
        case
            when averaged.has_enough_data and averaged.territory <> baselines.territory
                then {{ ratio_lower('averaged.calls_with_competitor', 'averaged.calls', 'baselines.calls_with_competitor', 'baselines.calls') }}
        end as competitive_mention_ratio_lower,
        case
            when averaged.has_enough_data and averaged.territory <> baselines.territory
                then {{ ratio_upper('averaged.calls_with_competitor', 'averaged.calls', 'baselines.calls_with_competitor', 'baselines.calls') }}
        end as competitive_mention_ratio_upper,
        coalesce(without_territory.calls_without_territory, 0) as calls_without_territory,
        coalesce(closed.deals_closed, 0) as deals_closed,
        coalesce(closed.deals_won, 0) as deals_won
    from averaged
    left join baselines
        on
            averaged.month_start = baselines.month_start
            and averaged.qualification_kit_version_id = baselines.qualification_kit_version_id
            and averaged.deal_signals_kit_version_id = baselines.deal_signals_kit_version_id
    left join without_territory
        on
            averaged.month_start = without_territory.month_start
            and averaged.qualification_kit_version_id = without_territory.qualification_kit_version_id
            and averaged.deal_signals_kit_version_id = without_territory.deal_signals_kit_version_id
    left join closed
        on
            averaged.territory = closed.territory
            and averaged.month_start = closed.month_start

),

judged as (

    select
        *,
        competitive_mention_ratio >= {{ limits['battlecards_from_ratio'] }}
        and competitive_mention_ratio_lower > 1 as is_named_more,
        case
            when not has_enough_data then 'not_enough_data'
            when pricing_hesitation_share >= {{ limits['hesitation_high_from_share'] }} then 'HIGH'
            when pricing_hesitation_share >= {{ limits['hesitation_medium_from_share'] }} then 'MEDIUM'
            else 'LOW'
        end as pricing_hesitation_level
    from compared

),

final as (

    select
        territory || ':' || cast(month_start as varchar) || ':' || qualification_kit_version_id
        || ':' || deal_signals_kit_version_id as territory_month_key,
        territory,
        month_start,
        qualification_kit_version_id,
        deal_signals_kit_version_id,
        calls,
        has_enough_data,
        round(discovery_depth, 6) as discovery_depth,
        round(discovery_depth_normalised, 6) as discovery_depth_normalised,
        round(discovery_depth_normalised_lower, 6) as discovery_depth_normalised_lower,
        round(discovery_depth_normalised_upper, 6) as discovery_depth_normalised_upper,
        calls_with_competitor,
        round(competitive_mention_share, 6) as competitive_mention_share,
        round({{ wilson_lower('calls_with_competitor', 'calls') }}, 6) as competitive_mention_share_lower,
        round({{ wilson_upper('calls_with_competitor', 'calls') }}, 6) as competitive_mention_share_upper,
        baseline_territory,
        competitive_mention_ratio,
        round(competitive_mention_ratio_lower, 6) as competitive_mention_ratio_lower,
        round(competitive_mention_ratio_upper, 6) as competitive_mention_ratio_upper,
        calls_with_hesitation,
        round(pricing_hesitation_share, 6) as pricing_hesitation_share,
        round({{ wilson_lower('calls_with_hesitation', 'calls') }}, 6) as pricing_hesitation_share_lower,
        round({{ wilson_upper('calls_with_hesitation', 'calls') }}, 6) as pricing_hesitation_share_upper,
        pricing_hesitation_level,
        deals_closed,
        deals_won,
        round(cast(deals_won as double) / nullif(deals_closed, 0), 6) as win_rate,
        round({{ wilson_lower('deals_won', 'deals_closed') }}, 6) as win_rate_lower,
        round({{ wilson_upper('deals_won', 'deals_closed') }}, 6) as win_rate_upper,
        deals_closed >= {{ var('minimum_n') }} as has_enough_deals,
        case
            when not has_enough_data then 'not_enough_data'
            when is_named_more and pricing_hesitation_level = 'HIGH'
                then 'Give reps competitive battle cards and coach them on price'
            when is_named_more then 'Give reps competitive battle cards'
            when pricing_hesitation_level = 'HIGH' then 'Coach reps on price'
            else 'Nothing by these rules'
        end as recommendation,
        calls_without_territory
    from judged

)

select * from final
