{#- One row per item of a JSON list of `semarize__signals`, as text: `items` is the list's column, `name` what
    an item is called. -#}
{% macro staged_list_items(items, name) -%}
with

source as (

    select
        *,
        run_id || ':' || brick_key as signal_key
    from {{ source('landing', 'semarize__signals') }}
    where {{ items }} is not null

),

items as (
    {{ json_items('source', items, [
        'signal_key', 'run_id', 'brick_key', 'vendor', 'conversation_id', 'kit_name', 'kit_code',
        'kit_version_id', 'scored_at', '_loaded_at',
    ]) }}

),

renamed as (

    select
        signal_key || ':' || cast(position as varchar) as {{ name }}_key,
        signal_key,
        run_id,
        brick_key,
        {{ conversation_key('vendor', 'conversation_id') }} as conversation_key,
        vendor,
        coalesce(kit_name, kit_code) as kit_name,
        {{ kit_version('coalesce(kit_name, kit_code)') }} as kit_version_id,
        cast(position as bigint) as position,
        {{ json_string('item') }} as {{ name }},
        scored_at,
        _loaded_at as loaded_at
    from items

)

select * from renamed
{%- endmacro %}
