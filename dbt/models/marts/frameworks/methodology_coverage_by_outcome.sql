with

calls as (
    {{ calls_of_closed_deals() }}

),

-- A deal counts once for each element: whether any of its calls covers it.
deals as (

    select
        adherence.framework,
        adherence.kit_name,
        adherence.kit_version_id,
        adherence.element_number,
        adherence.element,
        adherence.element_title,
        calls.opportunity_id,
        max(calls.won) as won,
        count(*) as calls,
        sum(case when adherence.is_covered then 1 else 0 end) as calls_covering
    from {{ ref('methodology_adherence') }} as adherence
    inner join calls
        on adherence.conversation_key = calls.conversation_key
    where adherence.is_covered is not null
    group by
        adherence.framework, adherence.kit_name, adherence.kit_version_id, adherence.element_number,
        adherence.element, adherence.element_title, calls.opportunity_id

),

counted as (

    select
        framework,
        kit_name,
        kit_version_id,
        element_number,
        element,
        element_title,
        {%- for outcome, won in [('won', 1), ('lost', 0)] %}
        count(case when won = {{ won }} then 1 end) as deals_{{ outcome }},
        count(case when won = {{ won }} and calls_covering = 0 then 1 end) as uncovered_{{ outcome }},
        cast(coalesce(sum(case when won = {{ won }} then calls end), 0) as bigint) as calls_{{ outcome }},
        cast(coalesce(sum(case when won = {{ won }} then calls_covering end), 0) as bigint)
            as calls_covering_{{ outcome }}{{ "," if not loop.last }}
        {%- endfor %}
    from deals
    group by framework, kit_name, kit_version_id, element_number, element, element_title

),

-- Each outcome beside the other one.
outcomes as (
    {% for outcome, other in [('won', 'lost'), ('lost', 'won')] %}
    select
        framework,
        kit_name,
        kit_version_id,
        element_number,
        element,
        element_title,
        '{{ outcome }}' as outcome,
        calls_{{ outcome }} as call_count,
        calls_covering_{{ outcome }} as calls_covering,
        deals_{{ outcome }} as deal_count,
        uncovered_{{ outcome }} as deals_without_coverage,
        cast(uncovered_{{ outcome }} as double) / nullif(deals_{{ outcome }}, 0) as share,
        {{ wilson_lower('uncovered_' ~ outcome, 'deals_' ~ outcome) }} as share_lower,
        {{ wilson_upper('uncovered_' ~ outcome, 'deals_' ~ outcome) }} as share_upper,
        deals_{{ other }} as other_deal_count,
        cast(uncovered_{{ other }} as double) / nullif(deals_{{ other }}, 0) as other_share,
        {{ wilson_lower('uncovered_' ~ other, 'deals_' ~ other) }} as other_share_lower,
        {{ wilson_upper('uncovered_' ~ other, 'deals_' ~ other) }} as other_share_upper
    from counted
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}

),

compared as (

    select
        *,
        deal_count >= {{ var('minimum_n') }} as has_enough_data,
        deal_count >= {{ var('minimum_n') }} and other_deal_count >= {{ var('minimum_n') }} as can_compare,
        share - other_share as difference,
        {{ newcombe_lower('share', 'share_lower', 'other_share', 'other_share_upper') }} as difference_lower,
        {{ newcombe_upper('share', 'share_upper', 'other_share', 'other_share_lower') }} as difference_upper
    from outcomes
    where deal_count > 0

),

final as (

    select
        framework || ':' || kit_version_id || ':' || element || ':' || outcome as coverage_key,
        framework,
        kit_name,
        kit_version_id,
        element_number,
        element,
        element_title,
        outcome,
        call_count,
        round(cast(calls_covering as double) / nullif(call_count, 0), 6) as call_coverage_share,
        deal_count,
        has_enough_data,
        deals_without_coverage,
        round(share, 6) as zero_coverage_share,
        round(share_lower, 6) as zero_coverage_share_lower,
        round(share_upper, 6) as zero_coverage_share_upper,
        other_deal_count,
        round(other_share, 6) as other_zero_coverage_share,
        round(difference, 6) as zero_coverage_difference,
        round(difference_lower, 6) as zero_coverage_difference_lower,
        round(difference_upper, 6) as zero_coverage_difference_upper,
        {{ verdict(
            'difference_lower', 'difference_upper', 'can_compare', 'higher', 'lower', 'no_clear_difference'
        ) }} as comparison
    from compared

)

select * from final
