{{ config(
    materialized='incremental',
    unique_key=['vendor', 'date_day'],
    meta={
        'groups': {
            'of': 'int_pipeline__conversations',
            'by': ['vendor', 'date_day'],
            'counted': 'listed',
        },
    },
) }}

with

conversations as (

    select * from {{ ref('int_pipeline__conversations') }}
    where {{ is_changed() }}

),

summed as (

    select
        vendor || ':' || cast(date_day as varchar) as vendor_day_key,
        vendor,
        date_day,
        count(*) as listed,
        count(case when status = 'landed' then 1 end) as landed,
        count(case when state = 'scored' then 1 end) as scored,
        count(case when is_score_failed then 1 end) as score_failed,
        count(case when state = 'awaiting_score' then 1 end) as awaiting_score,
        count(case when state = 'unscored' then 1 end) as unscored,
        count(case when status = 'pending' then 1 end) as pending,
        count(case when status = 'absent' then 1 end) as absent,
        count(case when status = 'expired' then 1 end) as expired,
        count(case when status = 'quarantined' then 1 end) as quarantined,
        count(case when status = 'private' then 1 end) as private,
        count(case when status = 'deleted' then 1 end) as deleted,
        count(case when status = 'quarantined' or is_score_failed then 1 end) as failed,
        min(case when status = 'pending' then started_at end) as oldest_pending_at,
        percentile_cont(0.5) within group (order by seconds_to_landed) as seconds_to_landed_median,
        percentile_cont(0.95) within group (order by seconds_to_landed) as seconds_to_landed_p95,
        percentile_cont(0.5) within group (order by seconds_to_scored) as seconds_to_scored_median,
        percentile_cont(0.95) within group (order by seconds_to_scored) as seconds_to_scored_p95,
        {{ built_at() }} as built_at
    from conversations
    group by vendor, date_day

)

select * from summed
