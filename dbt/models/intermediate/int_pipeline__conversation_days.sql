with

ledger as (

    select * from {{ ref('stg_pipeline__ledger') }}

),

conversations as (

    select * from {{ ref('int_conversations__unioned') }}

),

scoring as (

    select * from {{ ref('int_conversations__scoring') }}

),

joined as (

    select
        ledger.vendor,
        ledger.conversation_key,
        {{ utc_date('coalesce(ledger.started_at, ledger.listed_at)') }} as date_day,
        -- Listed and not tried yet is waiting, like a transcript that is not ready.
        case when ledger.status = 'listed' then 'pending' else ledger.status end as status,
        coalesce(ledger.started_at, ledger.listed_at) as started_at,
        coalesce(scoring.is_scored, false) as is_scored,
        coalesce(scoring.is_score_failed, false) as is_score_failed,
        {{ seconds_between('conversations.ended_at', 'ledger.landed_at') }} as seconds_to_landed,
        {{ seconds_between('conversations.ended_at', 'scoring.first_scored_at') }} as seconds_to_scored
    from ledger
    left join conversations
        on ledger.conversation_key = conversations.conversation_key
    left join scoring
        on ledger.conversation_key = scoring.conversation_key

),

summed as (

    select
        vendor || ':' || cast(date_day as varchar) as vendor_day_key,
        vendor,
        date_day,
        count(*) as listed,
        count(case when status = 'landed' then 1 end) as landed,
        count(case when is_scored then 1 end) as scored,
        count(case when is_score_failed then 1 end) as score_failed,
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
        percentile_cont(0.95) within group (order by seconds_to_scored) as seconds_to_scored_p95
    from joined
    group by vendor, date_day

)

select * from summed
