with

loads as (

    select * from {{ ref('stg_pipeline__loads') }}

),

runs as (

    select * from {{ ref('stg_semarize__runs') }}

),

quarantine as (

    select * from {{ ref('stg_pipeline__quarantine') }}

),

load_days as (

    select
        vendor,
        {{ utc_date('finished_at') }} as date_day,
        count(*) as load_count,
        cast(sum(requests) as bigint) as requests,
        max(finished_at) as last_load_at,
        max(case when moves_watermark then window_ended_at end) as watermark_reached_at
    from loads
    where finished_at is not null
    group by vendor, date_day

),

run_days as (

    select
        vendor,
        {{ utc_date('submitted_at') }} as date_day,
        count(*) as paid_run_count
    from runs
    where
        is_paid
        and submitted_at is not null
    group by vendor, date_day

),

quarantine_days as (

    select
        vendor,
        {{ utc_date('quarantined_at') }} as date_day,
        count(*) as quarantined_record_count
    from quarantine
    group by vendor, date_day

),

vendor_days as (

    select
        vendor,
        date_day
    from load_days

    union distinct

    select
        vendor,
        date_day
    from run_days

    union distinct

    select
        vendor,
        date_day
    from quarantine_days

),

joined as (

    select
        vendor_days.vendor || ':' || cast(vendor_days.date_day as varchar) as vendor_day_key,
        vendor_days.vendor,
        vendor_days.date_day,
        coalesce(load_days.load_count, 0) as load_count,
        coalesce(load_days.requests, 0) as requests,
        coalesce(run_days.paid_run_count, 0) as paid_run_count,
        coalesce(quarantine_days.quarantined_record_count, 0) as quarantined_record_count,
        load_days.last_load_at,
        load_days.watermark_reached_at
    from vendor_days
    left join load_days
        on
            vendor_days.vendor = load_days.vendor
            and vendor_days.date_day = load_days.date_day
    left join run_days
        on
            vendor_days.vendor = run_days.vendor
            and vendor_days.date_day = run_days.date_day
    left join quarantine_days
        on
            vendor_days.vendor = quarantine_days.vendor
            and vendor_days.date_day = quarantine_days.date_day

)

select * from joined
