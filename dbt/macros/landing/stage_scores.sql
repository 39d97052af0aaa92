{#- The columns of scores__<kit>: those that every kit has, then the kit's own bricks. -#}
{% macro score_columns(kit) -%}
    {%- set columns = dict(landing_columns('scores')) -%}
    {%- do columns.update(var('kits')[kit]) -%}
    {{ return(columns) }}
{%- endmacro %}


{#- A kit's staging model: keys, then one typed column per brick. -#}
{% macro staged_scores(kit) -%}
with

source as (
    {{ landed_or_empty(source('landing', 'scores__' ~ kit), score_columns(kit), fill_missing=true) }}

),

renamed as (

    select
        ---------- ids
        {{ conversation_key('vendor', 'conversation_id') }} || ':' || {{ kit_version("'" ~ kit ~ "'") }} as score_key,
        {{ conversation_key('vendor', 'conversation_id') }} as conversation_key,
        vendor,
        conversation_id,
        '{{ kit }}' as kit_name,
        {{ kit_version("'" ~ kit ~ "'") }} as kit_version_id,
        run_id,
        agent_id,

        ---------- where and when
        channel,
        scored_at,
        _loaded_at as loaded_at,

        ---------- bricks
        {%- for brick, type in var('kits')[kit].items() %}
        cast({{ brick }} as {{ sql_type(type) }}) as {{ brick }}{{ "," if not loop.last }}
        {%- endfor %}

    from source

)

select * from renamed
{%- endmacro %}


{#- A kit's bricks that are numbers, which is what has a scale. -#}
{% macro numeric_bricks(kit) -%}
    {%- set numbers = [] -%}
    {%- for brick, type in var('kits')[kit].items() if type == 'float' -%}
        {%- do numbers.append(brick) -%}
    {%- endfor -%}
    {{ return(numbers) }}
{%- endmacro %}


{#- A kit's last score of each conversation, its numbers on their own scale and from 0 to 1. -#}
{% macro latest_scores(kit) -%}
with

scores as (

    select * from {{ ref('stg_semarize__' ~ kit ~ '_scores') }}
    where {{ is_changed('scores__' ~ kit) }}
    qualify row_number() over (
        partition by conversation_key
        order by {{ last_score_first() }}
    ) = 1

),

scales as (
    {{ pivoted_scales(kit, numeric_bricks(kit)) }}

),

normalised as (

    select
        scores.*,
        {% for brick in numeric_bricks(kit) -%}
        {{ normalised('scores.' ~ brick, 'scales.' ~ brick ~ '_minimum', 'scales.' ~ brick ~ '_maximum') }} as {{ brick }}_normalised,
        {% endfor -%}
        {{ built_at() }} as built_at
    from scores
    cross join scales

)

select * from normalised
{%- endmacro %}
