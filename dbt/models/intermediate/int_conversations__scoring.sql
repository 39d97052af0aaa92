{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    meta={
        'reads': ['runs'],
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

with

runs as (

    select * from {{ ref('stg_semarize__runs') }}
    where {{ is_changed('runs') }}

),

finished_last_first as (

    select
        conversation_key,
        is_succeeded,
        error_code
    from runs
    where is_finished
    qualify row_number() over (
        partition by conversation_key
        order by finished_at desc nulls last, attempt desc nulls last, idempotency_key desc
    ) = 1

),

summed as (

    select
        conversation_key,
        vendor,
        conversation_id,
        count(case when is_paid then 1 end) as paid_run_count,
        count(case when is_finished and not is_succeeded then 1 end) as failed_run_count,
        count(distinct case when is_succeeded then kit_name end) as kit_count,
        min(case when is_succeeded then finished_at end) as first_scored_at,
        max(case when is_succeeded then finished_at end) as last_scored_at
    from runs
    group by conversation_key, vendor, conversation_id

),

judged as (

    select
        summed.*,
        summed.kit_count > 0 as is_scored,
        summed.kit_count = 0
        and coalesce(not finished_last_first.is_succeeded, false) as is_score_failed,
        finished_last_first.error_code as last_error_code,
        {{ built_at() }} as built_at
    from summed
    left join finished_last_first
        on summed.conversation_key = finished_last_first.conversation_key

)

select * from judged
