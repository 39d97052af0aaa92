with

source as (

    select * from {{ source('landing', 'semarize__runs') }}

),

renamed as (

    select
        ---------- ids
        idempotency_key,
        run_id,
        {{ conversation_key('vendor', 'conversation_id') }} as conversation_key,
        vendor,
        conversation_id,
        kit_code,
        coalesce(kit_name, kit_code) as kit_name,
        case
            when status = 'succeeded' then {{ kit_version('coalesce(kit_name, kit_code)') }}
            else kit_version_id
        end as kit_version_id,
        transcript_hash,

        ---------- how it went
        attempt,
        status,
        status = 'succeeded' as is_succeeded,
        status in ('succeeded', 'failed', 'cancelled') as is_finished,
        run_id is not null as is_paid,
        error_code,
        error_message,

        ---------- timestamps and durations
        submitted_at,
        finished_at,
        duration_ms / 1000.0 as duration_seconds,
        _loaded_at as loaded_at

    from source

)

select * from renamed
