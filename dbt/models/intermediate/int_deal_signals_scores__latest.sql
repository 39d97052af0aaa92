{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    meta={
        'reads': ['scores__deal_signals', 'brick_scales'],
        'kit': 'deal_signals',
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

with

scores as (

    select * from {{ ref('stg_semarize__deal_signals_scores') }}
    where {{ is_changed('scores__deal_signals') }}
    qualify row_number() over (
        partition by conversation_key
        order by {{ last_score_first() }}
    ) = 1

),

scales as (
    {{ pivoted_scales('deal_signals', ['overall_score', 'pain_severity', 'competitive_pressure']) }}

),

normalised as (

    select
        scores.*,
        {% for brick in ['overall_score', 'pain_severity', 'competitive_pressure'] -%}
        {{ normalised('scores.' ~ brick, 'scales.' ~ brick ~ '_minimum', 'scales.' ~ brick ~ '_maximum') }} as {{ brick }}_normalised,
        {% endfor -%}
        {{ built_at() }} as built_at
    from scores
    cross join scales

)

select * from normalised
