{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    meta={
        'reads': ['scores__interaction_quality', 'brick_scales'],
        'kit': 'interaction_quality',
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

with

scores as (

    select * from {{ ref('stg_semarize__interaction_quality_scores') }}
    where {{ is_changed('scores__interaction_quality') }}
    qualify row_number() over (
        partition by conversation_key
        order by {{ last_score_first() }}
    ) = 1

),

scales as (
    {{ pivoted_scales('interaction_quality', ['compliance_score', 'empathy_score', 'escalation_risk']) }}

),

normalised as (

    select
        scores.*,
        {% for brick in ['compliance_score', 'empathy_score', 'escalation_risk'] -%}
        {{ normalised('scores.' ~ brick, 'scales.' ~ brick ~ '_minimum', 'scales.' ~ brick ~ '_maximum') }} as {{ brick }}_normalised,
        {% endfor -%}
        {{ built_at() }} as built_at
    from scores
    cross join scales

)

select * from normalised
