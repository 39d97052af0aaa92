{{ config(
    materialized='incremental',
    unique_key='conversation_key',
    meta={
        'reads': ['conversations'],
    },
) }}
-- depends_on: {{ ref('int_landing__batches_read') }}

with

unioned as (
    {{ union_vendors('conversations', ['conversation_key', 'vendor', 'participants', 'loaded_at']) }}

),

changed as (

    select * from unioned
    where {{ is_changed('conversations') }}

),

items as (
    {{ json_items('changed', 'participants', ['conversation_key', 'vendor']) }}

),

named as (

    select
        conversation_key || ':' || cast(position as varchar) as participant_key,
        conversation_key,
        vendor,
        cast(position as bigint) as position,
        {{ json_text('item', 'name') }} as participant_name,
        lower({{ json_text('item', 'email') }}) as participant_email,
        {{ json_text('item', 'role') }} as participant_role,
        {{ json_text('item', 'title') }} as participant_title,
        {{ built_at() }} as built_at
    from items

)

select * from named
