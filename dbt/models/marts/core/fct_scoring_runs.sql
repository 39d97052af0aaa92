{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    cluster_by=['submitted_on', 'vendor'],
    meta={
        'reads': ['runs', 'signals'],
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

with

runs as (

    select * from {{ ref('stg_semarize__runs') }}
    where {{ is_changed('runs') }}

),

bricks as (

    select
        run_id,
        count(*) as brick_count,
        min(confidence) as lowest_confidence
    from {{ ref('stg_semarize__signals') }}
    where {{ is_changed('signals') }}
    group by run_id

),

final as (

    select
        ---------- ids
        runs.idempotency_key,
        runs.run_id,
        runs.conversation_key,
        runs.vendor,
        runs.conversation_id,
        runs.kit_code,
        runs.kit_name,
        runs.kit_version_id,

        ---------- how it went
        runs.attempt,
        runs.status,
        runs.is_succeeded,
        runs.is_finished,
        runs.is_paid,
        runs.error_code,
        runs.error_message,
        coalesce(bricks.brick_count, 0) as brick_count,
        bricks.lowest_confidence,

        ---------- timestamps and durations
        runs.submitted_at,
        {{ utc_date('runs.submitted_at') }} as submitted_on,
        runs.finished_at,
        cast(runs.duration_seconds as double) as duration_seconds,
        {{ seconds_between('runs.submitted_at', 'runs.finished_at') }} as seconds_to_finish,
        {{ built_at() }} as built_at
    from runs
    left join bricks
        on runs.run_id = bricks.run_id

)

select * from final
