with

source as (

    select
        *,
        run_id || ':' || brick_key as signal_key
    from {{ source('landing', 'semarize__signals') }}
    where evidence is not null

),

quotes as (
    {{ json_items('source', 'evidence', [
        'signal_key', 'run_id', 'brick_key', 'vendor', 'conversation_id', 'kit_name', 'kit_code',
        'kit_version_id', 'scored_at', '_loaded_at',
    ]) }}

),

renamed as (

    select
        signal_key || ':' || cast(position as varchar) as quote_key,
        signal_key,
        run_id,
        brick_key,
        {{ conversation_key('vendor', 'conversation_id') }} as conversation_key,
        vendor,
        coalesce(kit_name, kit_code) as kit_name,
        {{ kit_version('coalesce(kit_name, kit_code)') }} as kit_version_id,
        cast(position as bigint) as position,
        {{ json_string('item') }} as quote,
        scored_at,
        _loaded_at as loaded_at
    from quotes

)

select * from renamed
