with

source as (

    select * from {{ source('landing', 'loads') }}

),

renamed as (

    select
        ---------- ids
        load_id,
        vendor,
        kind,
        kind not in ('{{ var("kinds_beside_the_watermark") | join("', '") }}') as moves_watermark,

        ---------- counts
        listed,
        landed,
        pending,
        private,
        quarantined,
        scored,
        failed,
        requests,

        ---------- timestamps and durations
        window_start as window_started_at,
        window_end as window_ended_at,
        started_at,
        finished_at,
        duration_seconds,
        _loaded_at as loaded_at

    from source

)

select * from renamed
