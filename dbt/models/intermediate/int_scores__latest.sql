{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    meta={
        'reads': ['signals'],
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

with

signals as (

    select * from {{ ref('stg_semarize__signals') }}
    where {{ is_changed('signals') }}

),

scores as (

    select
        conversation_key,
        vendor,
        conversation_id,
        kit_name,
        kit_version_id,
        run_id,
        max(scored_at) as scored_at,
        count(*) as brick_count
    from signals
    group by conversation_key, vendor, conversation_id, kit_name, kit_version_id, run_id

),

latest as (

    select
        conversation_key || ':' || kit_name as latest_score_key,
        *,
        {{ built_at() }} as built_at
    from scores
    qualify row_number() over (
        partition by conversation_key, kit_name
        order by {{ last_score_first() }}
    ) = 1

)

select * from latest
