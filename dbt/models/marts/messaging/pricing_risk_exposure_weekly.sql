{%- set levels = ['none', 'low', 'medium', 'high'] %}

with

calls as (

    select
        *,
        cast({{ dbt.date_trunc('week', 'started_on') }} as date) as week_start,
        coalesce(rep_key, 'unknown') as known_rep_key,
        case commercial_risk_level
            {%- for level in levels %}
            when '{{ level }}' then {{ loop.index0 }}
            {%- endfor %}
        end as risk_rank
    from {{ ref('pricing_accuracy') }}

),

-- Each rep of a team, and the whole team: a deal that two reps spoke about counts once there.
scoped as (

    select
        'rep' as scope,
        known_rep_key as scope_rep_key,
        rep_name as scope_rep_name,
        *
    from calls

    union all

    select
        'team' as scope,
        'all' as scope_rep_key,
        cast(null as varchar) as scope_rep_name,
        *
    from calls

),

counted as (

    select
        scope,
        week_start,
        team,
        scope_rep_key,
        max(scope_rep_name) as rep_name,
        kit_version_id,
        count(*) as calls_checked,
        count(case when has_pricing then 1 end) as calls_with_pricing,
        count(case when pricing_misstated then 1 end) as calls_misstated,
        count(case when prices_outdated > 0 then 1 end) as calls_price_outdated,
        count(case when is_authority_exceeded then 1 end) as calls_authority_exceeded,
        count(case when packaging_outdated then 1 end) as calls_packaging_outdated,
        count(case when is_at_risk then 1 end) as calls_at_risk,
        count(case when is_at_risk and not is_linked then 1 end) as calls_at_risk_unlinked,
        {%- for level in levels %}
        count(case when commercial_risk_level = '{{ level }}' then 1 end) as calls_risk_{{ level }},
        {%- endfor %}
        max(risk_rank) as highest_rank
    from scoped
    group by scope, week_start, team, scope_rep_key, kit_version_id

),

deals as (

    select
        scope,
        week_start,
        team,
        scope_rep_key,
        kit_version_id,
        opportunity_id,
        max(amount_at_risk_usd) as amount_usd,
        max(case when not is_deal_closed then amount_at_risk_usd end) as open_amount_usd
    from scoped
    where
        is_at_risk
        and is_linked
    group by scope, week_start, team, scope_rep_key, kit_version_id, opportunity_id

),

exposed as (

    select
        scope,
        week_start,
        team,
        scope_rep_key,
        kit_version_id,
        count(*) as deals_at_risk,
        sum(amount_usd) as amount_at_risk_usd,
        sum(open_amount_usd) as open_amount_at_risk_usd
    from deals
    group by scope, week_start, team, scope_rep_key, kit_version_id

),

final as (

    select
        counted.scope || ':' || cast(counted.week_start as varchar) || ':' || counted.team || ':'
        || counted.scope_rep_key || ':' || counted.kit_version_id as exposure_key,
        counted.scope,
        counted.week_start,
        counted.team,
        counted.scope_rep_key as rep_key,
        counted.rep_name,
        counted.kit_version_id,
        counted.calls_checked,
        counted.calls_with_pricing,
        counted.calls_misstated,
        counted.calls_price_outdated,
        counted.calls_authority_exceeded,
        counted.calls_packaging_outdated,
        counted.calls_at_risk,
        counted.calls_at_risk_unlinked,
        {%- for level in levels %}
        counted.calls_risk_{{ level }},
        {%- endfor %}
        case counted.highest_rank
            {%- for level in levels %}
            when {{ loop.index0 }} then '{{ level }}'
            {%- endfor %}
            else 'unknown'
        end as highest_risk_level,
        round(cast(counted.calls_at_risk as double) / nullif(counted.calls_with_pricing, 0), 6) as at_risk_share,
        round({{ wilson_lower('counted.calls_at_risk', 'counted.calls_with_pricing') }}, 6) as at_risk_share_lower,
        round({{ wilson_upper('counted.calls_at_risk', 'counted.calls_with_pricing') }}, 6) as at_risk_share_upper,
        counted.calls_with_pricing >= {{ var('minimum_n') }} as has_enough_data,
        coalesce(exposed.deals_at_risk, 0) as deals_at_risk,
        coalesce(exposed.amount_at_risk_usd, 0) as amount_at_risk_usd,
        coalesce(exposed.open_amount_at_risk_usd, 0) as open_amount_at_risk_usd
    from counted
    left join exposed
        on
            counted.scope = exposed.scope
            and counted.week_start = exposed.week_start
            and counted.team = exposed.team
            and counted.scope_rep_key = exposed.scope_rep_key
            and counted.kit_version_id = exposed.kit_version_id

)

select * from final
