{%- set compared = var('methodology_ab_test') %}
{%- set sides = ['a', 'b'] %}

with

calls as (
    {{ calls_of_closed_deals() }}

),

{%- for side in sides %}

scores_{{ side }} as (

    select
        conversation_key,
        kit_version_id,
        value_number,
        value_normalised
    from {{ ref('fct_brick_values') }}
    where
        is_latest
        and kit_name = '{{ compared[side].kit }}'
        and brick_key = '{{ compared[side].score }}'
        and value_normalised is not null

),
{%- endfor %}

-- Calls that both kits scored, once for their segment and once for all.
scored as (
    {% for scope in ['segment', 'overall'] %}
    select
        '{{ scope }}' as scope,
        {{ "coalesce(calls.segment, 'unknown')" if scope == 'segment' else "'all'" }} as segment,
        calls.opportunity_id,
        calls.won,
        scores_a.kit_version_id as kit_version_id_a,
        scores_b.kit_version_id as kit_version_id_b,
        scores_a.value_number as score_a,
        scores_b.value_number as score_b,
        scores_a.value_normalised as normalised_a,
        scores_b.value_normalised as normalised_b
    from calls
    inner join scores_a
        on calls.conversation_key = scores_a.conversation_key
    inner join scores_b
        on calls.conversation_key = scores_b.conversation_key
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}

),

-- Calls of one deal are alike and share its end: a deal counts once, by its calls' mean.
deals as (

    select
        kit_version_id_a,
        kit_version_id_b,
        scope,
        segment,
        opportunity_id,
        max(won) as won,
        count(*) as calls,
        sum(score_a) as sum_a,
        sum(score_b) as sum_b,
        sum(normalised_a) as normalised_sum_a,
        sum(normalised_b) as normalised_sum_b,
        avg(normalised_a) as mean_a,
        avg(normalised_b) as mean_b
    from scored
    group by kit_version_id_a, kit_version_id_b, scope, segment, opportunity_id

),

measured as (

    select
        *,
        (
            sum(normalised_sum_a - normalised_sum_b) over (
                partition by kit_version_id_a, kit_version_id_b, scope, segment
            )
        ) / sum(calls) over (
            partition by kit_version_id_a, kit_version_id_b, scope, segment
        ) as mean_difference
    from deals

),

summed as (

    select
        kit_version_id_a,
        kit_version_id_b,
        scope,
        segment,
        cast(sum(calls) as bigint) as call_count,
        count(*) as deal_count,
        cast(sum(won) as bigint) as won_deal_count,
        cast(sum(1 - won) as bigint) as lost_deal_count,
        {%- for side in sides %}
        sum(sum_{{ side }}) / sum(calls) as score_{{ side }},
        sum(normalised_sum_{{ side }}) / sum(calls) as score_{{ side }}_normalised,
        {{ correlation('mean_' ~ side, 'won') }} as win_correlation_{{ side }},
        count(case when won = 0 and mean_{{ side }} >= {{ compared.positive_at_normalised }} then 1 end)
            as false_positive_deals_{{ side }},
        {%- endfor %}
        {{ correlation('mean_a', 'mean_b') }} as score_correlation,
        max(mean_difference) as score_difference_normalised,
        sum(power(normalised_sum_a - normalised_sum_b - calls * mean_difference, 2)) as squared_deal_sums
    from measured
    group by kit_version_id_a, kit_version_id_b, scope, segment

),

bounded as (

    select
        *,
        {%- for side in sides %}
        {{ fisher_lower('win_correlation_' ~ side, 'deal_count') }} as win_correlation_{{ side }}_lower,
        {{ fisher_upper('win_correlation_' ~ side, 'deal_count') }} as win_correlation_{{ side }}_upper,
        cast(false_positive_deals_{{ side }} as double) / nullif(lost_deal_count, 0)
            as false_positive_rate_{{ side }},
        {{ wilson_lower('false_positive_deals_' ~ side, 'lost_deal_count') }} as false_positive_rate_{{ side }}_lower,
        {{ wilson_upper('false_positive_deals_' ~ side, 'lost_deal_count') }} as false_positive_rate_{{ side }}_upper,
        {%- endfor %}
        {{ grouped_standard_error('squared_deal_sums', 'call_count', 'deal_count') }} as score_difference_standard_error,
        deal_count >= {{ var('minimum_n') }}
        and won_deal_count >= {{ compared.minimum_deals_per_outcome }}
        and lost_deal_count >= {{ compared.minimum_deals_per_outcome }} as has_enough_data
    from summed

),

differences as (

    select
        *,
        {{ mean_lower('score_difference_normalised', 'score_difference_standard_error', 'deal_count') }}
            as score_difference_lower,
        {{ mean_upper('score_difference_normalised', 'score_difference_standard_error', 'deal_count') }}
            as score_difference_upper,
        win_correlation_a - win_correlation_b as win_correlation_difference,
        {{ zou_lower(
            'win_correlation_a', 'win_correlation_a_lower', 'win_correlation_b', 'win_correlation_b_upper',
            'score_correlation'
        ) }} as win_correlation_difference_lower,
        {{ zou_upper(
            'win_correlation_a', 'win_correlation_a_upper', 'win_correlation_b', 'win_correlation_b_lower',
            'score_correlation'
        ) }} as win_correlation_difference_upper
    from bounded

),

final as (

    select
        kit_version_id_a || ':' || kit_version_id_b || ':' || scope || ':' || segment as ab_test_key,
        '{{ compared.a.kit }}' as kit_name_a,
        kit_version_id_a,
        '{{ compared.b.kit }}' as kit_name_b,
        kit_version_id_b,
        scope,
        segment,
        call_count,
        deal_count,
        won_deal_count,
        lost_deal_count,
        has_enough_data,
        {%- for side in sides %}
        round(score_{{ side }}, 6) as score_{{ side }},
        round(score_{{ side }}_normalised, 6) as score_{{ side }}_normalised,
        {%- endfor %}
        round(score_difference_normalised, 6) as score_difference_normalised,
        round(score_difference_standard_error, 6) as score_difference_standard_error,
        round(score_difference_lower, 6) as score_difference_lower,
        round(score_difference_upper, 6) as score_difference_upper,
        {%- for side in sides %}
        {%- for bound in ['', '_lower', '_upper'] %}
        round(win_correlation_{{ side }}{{ bound }}, 6) as win_correlation_{{ side }}{{ bound }},
        {%- endfor %}
        {%- endfor %}
        {%- for bound in ['', '_lower', '_upper'] %}
        round(win_correlation_difference{{ bound }}, 6) as win_correlation_difference{{ bound }},
        {%- endfor %}
        round(win_correlation_a / nullif(win_correlation_b, 0), 6) as win_correlation_ratio,
        {{ verdict(
            'win_correlation_difference_lower', 'win_correlation_difference_upper', 'has_enough_data',
            'a_higher', 'b_higher', 'no_clear_winner'
        ) }} as verdict,
        cast({{ compared.positive_at_normalised }} as double) as positive_at_normalised,
        {%- for side in sides %}
        false_positive_deals_{{ side }},
        round(false_positive_rate_{{ side }}, 6) as false_positive_rate_{{ side }},
        round(false_positive_rate_{{ side }}_lower, 6) as false_positive_rate_{{ side }}_lower,
        round(false_positive_rate_{{ side }}_upper, 6) as false_positive_rate_{{ side }}_upper{{ "," if not loop.last }}
        {%- endfor %}
    from differences

)

select * from final
