with

source as (

    select * from {{ source('landing', 'quarantine') }}

),

renamed as (

    select
        ---------- ids
        quarantine_id,
        {{ conversation_key('vendor', 'conversation_id') }} as conversation_key,
        vendor,
        conversation_id,

        ---------- what went wrong
        stage,
        reason,

        ---------- timestamps
        quarantined_at,
        _loaded_at as loaded_at

    from source

)

select * from renamed
