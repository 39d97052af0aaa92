{{ config(severity='warn') }}

with

wide as (

    {%- for kit in var('kits') %}
    select
        conversation_key,
        kit_name,
        run_id
    from {{ ref('int_' ~ kit ~ '_scores__latest') }}
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}

)

select
    wide.conversation_key,
    wide.kit_name
from wide
left join {{ ref('int_scores__latest') }} as long
    on
        wide.conversation_key = long.conversation_key
        and wide.kit_name = long.kit_name
where long.run_id is null or long.run_id <> wide.run_id
