{#- The text under a key of a JSON object; null when the key is missing or its value is null. -#}
{% macro json_text(column, key) -%}
    {{ return(adapter.dispatch('json_text')(column, key)) }}
{%- endmacro %}

{% macro duckdb__json_text(column, key) -%}
    ({{ column }} ->> '$.{{ key }}')
{%- endmacro %}

{% macro snowflake__json_text(column, key) -%}
    {{ column }}:{{ key }}::varchar
{%- endmacro %}


{#- The list or object under a key, still JSON; null when the key is missing or its value is null. -#}
{% macro json_value(column, key) -%}
    {{ return(adapter.dispatch('json_value')(column, key)) }}
{%- endmacro %}

{% macro duckdb__json_value(column, key) -%}
    cast(({{ column }} ->> '$.{{ key }}') as json)
{%- endmacro %}

{% macro snowflake__json_value(column, key) -%}
    strip_null_value({{ column }}:{{ key }})
{%- endmacro %}


{#- How many items a JSON list holds. -#}
{% macro json_length(expression) -%}
    {{ return(adapter.dispatch('json_length')(expression)) }}
{%- endmacro %}

{% macro duckdb__json_length(expression) -%}
    cast(json_array_length({{ expression }}) as bigint)
{%- endmacro %}

{% macro snowflake__json_length(expression) -%}
    cast(array_size({{ expression }}) as bigint)
{%- endmacro %}


{#- JSON written out as text, which every BI tool can read. -#}
{% macro json_as_text(expression) -%}
    {{ return(adapter.dispatch('json_as_text')(expression)) }}
{%- endmacro %}

{% macro duckdb__json_as_text(expression) -%}
    cast({{ expression }} as varchar)
{%- endmacro %}

{% macro snowflake__json_as_text(expression) -%}
    to_json({{ expression }})
{%- endmacro %}


{#- Typed values under a key. A vendor's odd value becomes null here and stays readable in landing. -#}
{% macro json_float(column, key) -%}
    try_cast({{ json_text(column, key) }} as double)
{%- endmacro %}

{% macro json_integer(column, key) -%}
    try_cast({{ json_text(column, key) }} as bigint)
{%- endmacro %}

{% macro json_boolean(column, key) -%}
    try_cast({{ json_text(column, key) }} as boolean)
{%- endmacro %}


{#- One row per item of a JSON list, with the columns named: the item, still JSON, and its position
    from 0. A row whose list is null or empty gives none. -#}
{% macro json_items(relation, list, columns) -%}
    {{ return(adapter.dispatch('json_items')(relation, list, columns)) }}
{%- endmacro %}

{% macro duckdb__json_items(relation, list, columns) -%}
    select
        {{ columns | join(', ') }},
        generate_subscripts(cast({{ list }} as json []), 1) - 1 as position,
        unnest(cast({{ list }} as json [])) as item
    from {{ relation }}
{%- endmacro %}

{% macro snowflake__json_items(relation, list, columns) -%}
    select
        {{ columns | join(', ') }},
        items.index as position,
        items.value as item
    from {{ relation }},
        lateral flatten(input => {{ list }}) as items
{%- endmacro %}


{#- The text that a JSON string is; null for JSON's null. -#}
{% macro json_string(expression) -%}
    {{ return(adapter.dispatch('json_string')(expression)) }}
{%- endmacro %}

{% macro duckdb__json_string(expression) -%}
    ({{ expression }} ->> '$')
{%- endmacro %}

{% macro snowflake__json_string(expression) -%}
    as_varchar({{ expression }})
{%- endmacro %}
