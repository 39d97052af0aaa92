{#- The columns of scores__<kit>: those that every kit has, then the kit's own bricks. -#}
{% macro score_columns(kit) -%}
    {%- set columns = dict(landing_columns('scores')) -%}
    {%- do columns.update(var('kits')[kit]) -%}
    {{ return(columns) }}
{%- endmacro %}


{#- The columns of a kit's staging model: keys, then one typed column per brick. -#}
{% macro stage_scores(kit) -%}
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
{%- endmacro %}
