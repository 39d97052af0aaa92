with

source as (

    select * from {{ source('landing', 'semarize__signals') }}

),

renamed as (

    select
        ---------- ids
        run_id || ':' || brick_key as signal_key,
        run_id,
        brick_key,
        {{ conversation_key('vendor', 'conversation_id') }} as conversation_key,
        vendor,
        conversation_id,
        kit_code,
        coalesce(kit_name, kit_code) as kit_name,
        {{ kit_version('coalesce(kit_name, kit_code)') }} as kit_version_id,

        ---------- what Semarize said
        value_type,
        value_boolean,
        value_number,
        value_text,
        value_list,
        confidence,
        reason,
        evidence,

        ---------- timestamps
        scored_at,
        _loaded_at as loaded_at

    from source

)

select * from renamed
