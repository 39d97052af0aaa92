with

conversation_days as (

    select * from {{ ref('int_pipeline__conversation_days') }}

),

activity_days as (

    select * from {{ ref('int_pipeline__activity_days') }}

),

joined as (

    select
        coalesce(conversation_days.vendor_day_key, activity_days.vendor_day_key) as vendor_day_key,
        coalesce(conversation_days.vendor, activity_days.vendor) as vendor,
        coalesce(conversation_days.date_day, activity_days.date_day) as date_day,
        coalesce(conversation_days.listed, 0) as listed,
        coalesce(conversation_days.landed, 0) as landed,
        coalesce(conversation_days.scored, 0) as scored,
        coalesce(conversation_days.score_failed, 0) as score_failed,
        coalesce(conversation_days.awaiting_score, 0) as awaiting_score,
        coalesce(conversation_days.unscored, 0) as unscored,
        coalesce(conversation_days.pending, 0) as pending,
        coalesce(conversation_days.absent, 0) as absent,
        coalesce(conversation_days.expired, 0) as expired,
        coalesce(conversation_days.quarantined, 0) as quarantined,
        coalesce(conversation_days.private, 0) as private,
        coalesce(conversation_days.deleted, 0) as deleted,
        coalesce(conversation_days.failed, 0) as failed,
        conversation_days.oldest_pending_at,
        conversation_days.seconds_to_landed_median,
        conversation_days.seconds_to_landed_p95,
        conversation_days.seconds_to_scored_median,
        conversation_days.seconds_to_scored_p95,
        coalesce(activity_days.load_count, 0) as load_count,
        coalesce(activity_days.requests, 0) as requests,
        coalesce(activity_days.paid_run_count, 0) as paid_run_count,
        coalesce(activity_days.quarantined_record_count, 0) as quarantined_record_count,
        activity_days.last_load_at,
        activity_days.watermark_reached_at
    from conversation_days
    full outer join activity_days
        on conversation_days.vendor_day_key = activity_days.vendor_day_key

),

-- A table must not change because the clock moved, so ages are counted up to the vendor's last
-- load; whether loads still come is the question of source freshness.
as_of as (

    select
        *,
        max(last_load_at) over (partition by vendor) as vendor_last_load_at,
        max(watermark_reached_at) over (
            partition by vendor
            order by date_day
            rows between unbounded preceding and current row
        ) as watermark_at
    from joined

),

final as (

    select
        ---------- ids
        vendor_day_key,
        vendor,
        date_day,

        ---------- the conversations of the day
        listed,
        landed,
        scored,
        score_failed,
        awaiting_score,
        unscored,
        pending,
        absent,
        expired,
        quarantined,
        private,
        deleted,
        listed - (
            landed + pending + absent + expired + quarantined + private + deleted
        ) as unaccounted,
        cast(failed as double) / nullif(listed, 0) as failure_share,
        oldest_pending_at,
        {{ seconds_between('oldest_pending_at', 'vendor_last_load_at') }} as oldest_pending_seconds,

        ---------- from the end of a conversation
        cast(seconds_to_landed_median as double) as seconds_to_landed_median,
        cast(seconds_to_landed_p95 as double) as seconds_to_landed_p95,
        cast(seconds_to_scored_median as double) as seconds_to_scored_median,
        cast(seconds_to_scored_p95 as double) as seconds_to_scored_p95,

        ---------- the work done on the day
        load_count,
        requests,
        paid_run_count,
        quarantined_record_count,
        last_load_at,
        watermark_at,
        {{ seconds_between('watermark_at', 'last_load_at') }} as watermark_lag_seconds
    from as_of

)

select * from final
