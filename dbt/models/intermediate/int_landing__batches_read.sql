{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='batch_row_key',
    post_hook="{{ forget_old_removals() }}",
) }}

{%- set rebuilt = not builds_on_itself() -%}
{%- set unread = {} if rebuilt or flags.EMPTY else unread_stamps() -%}

with

landed as (
    {%- for family, rows in landing_families().items() if rebuilt or family in unread %}
    select
        '{{ family }}' as family,
        vendor,
        conversation_key,
        loaded_at,
        count(*) as row_count
    from ({{ rows }}) as landed_rows
    {%- if not rebuilt %}
    where {{ at_moments('loaded_at', unread[family]) }}
    {%- endif %}
    group by vendor, conversation_key, loaded_at

    union all
    {% endfor %}
    -- A scale that changes concerns every conversation, so it stands here under its own content.
    select
        'brick_scales' as family,
        kit_name as vendor,
        brick_key
            || ':' || cast(cast(scale_minimum as decimal(18, 6)) as varchar)
            || ':' || cast(cast(scale_maximum as decimal(18, 6)) as varchar) as conversation_key,
        {{ moment_literal('1970-01-01 00:00:00+00:00') }} as loaded_at,
        count(*) as row_count
    from {{ ref('brick_scales') }}
    group by kit_name, brick_key, scale_minimum, scale_maximum

),

keyed as (

    select
        family || ':' || conversation_key || ':' || {{ utc_text('loaded_at') }} as batch_row_key,
        *
    from landed

)

{%- if rebuilt %}

select
    batch_row_key,
    family,
    vendor,
    conversation_key,
    loaded_at,
    row_count,
    {{ built_at() }} as built_at
from keyed
{%- else %},

seen as (

    select *
    from {{ this }}
    where
        family = 'brick_scales'
        {%- for family, stamps in unread.items() %}
        or (family = '{{ family }}' and {{ at_moments('loaded_at', stamps) }})
        {%- endfor %}

),

-- What was read and is not there any more stays as a row that counts nothing, so that the models
-- behind this one learn of it.
compared as (

    select
        coalesce(keyed.batch_row_key, seen.batch_row_key) as batch_row_key,
        coalesce(keyed.family, seen.family) as family,
        coalesce(keyed.vendor, seen.vendor) as vendor,
        coalesce(keyed.conversation_key, seen.conversation_key) as conversation_key,
        coalesce(keyed.loaded_at, seen.loaded_at) as loaded_at,
        coalesce(keyed.row_count, 0) as row_count,
        coalesce(seen.row_count, 0) as row_count_seen
    from keyed
    full outer join seen
        on keyed.batch_row_key = seen.batch_row_key

)

select
    batch_row_key,
    family,
    vendor,
    conversation_key,
    loaded_at,
    row_count,
    {{ built_at() }} as built_at
from compared
where row_count <> row_count_seen
{%- endif %}
