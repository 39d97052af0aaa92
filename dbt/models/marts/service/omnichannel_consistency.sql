{%- set bricks = ['empathy_demonstrated', 'resolution_clarity', 'effort_reduction', 'brand_alignment'] %}

with

scores as (

    select
        found.conversation_key,
        found.kit_version_id,
        found.brick_key,
        found.value_number,
        found.value_normalised,
        conversations.channel,
        conversations.started_on
    from {{ ref('fct_brick_values') }} as found
    inner join {{ ref('fct_conversations') }} as conversations
        on found.conversation_key = conversations.conversation_key
    where
        found.is_latest
        and found.kit_name = 'service_experience'
        and found.brick_key in ('{{ bricks | join("', '") }}')
        and found.value_number is not null

),

periods as (
    {% for grain in ['quarter', 'week'] %}
    select
        '{{ grain }}' as period_grain,
        cast({{ dbt.date_trunc(grain, 'started_on') }} as date) as period_start,
        *
    from scores
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}

),

averaged as (

    select
        period_grain,
        period_start,
        brick_key,
        channel,
        kit_version_id,
        count(*) as conversation_count,
        avg(value_number) as score,
        avg(value_normalised) as score_normalised
    from periods
    group by period_grain, period_start, brick_key, channel, kit_version_id

),

compared as (

    select
        *,
        max(case when conversation_count >= {{ var('minimum_n') }} then score_normalised end) over (
            partition by period_grain, period_start, brick_key, kit_version_id
        ) as best_score_normalised
    from averaged

),

final as (

    select
        period_grain || ':' || cast(period_start as varchar) || ':' || brick_key || ':' || channel
        || ':' || kit_version_id as consistency_key,
        period_grain,
        period_start,
        brick_key,
        channel,
        kit_version_id,
        conversation_count,
        conversation_count >= {{ var('minimum_n') }} as has_enough_data,
        score,
        score_normalised,
        best_score_normalised,
        round(100 * (best_score_normalised - score_normalised), 6) as gap_points,
        round(100 * (best_score_normalised - score_normalised) / nullif(best_score_normalised, 0), 6) as gap_percent
    from compared

)

select * from final
