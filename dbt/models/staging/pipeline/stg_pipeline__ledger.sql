with

source as (

    select * from {{ source('landing', 'ledger') }}

),

renamed as (

    select
        ---------- ids
        {{ conversation_key('vendor', 'conversation_id') }} as conversation_key,
        vendor,
        conversation_id,

        ---------- where it stands
        status,
        score_status,
        channel,
        tries,
        reason,
        content_hash,
        transcript_hash,

        ---------- timestamps
        started_at,
        listed_at,
        landed_at,
        next_try_at,
        updated_at,
        _loaded_at as loaded_at

    from source

)

select * from renamed
