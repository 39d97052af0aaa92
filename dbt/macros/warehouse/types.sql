{#- What a landing type is called in SQL. The names that both warehouses know are used as they are. -#}
{% macro sql_type(landing_type) -%}
    {%- set names = {
        'text': 'varchar',
        'float': 'double',
        'integer': 'bigint',
        'boolean': 'boolean',
        'timestamp': 'timestamp with time zone',
        'json': adapter.dispatch('json_type')(),
    } -%}
    {{ return(names[landing_type]) }}
{%- endmacro %}

{% macro duckdb__json_type() -%}
    {{ return('json') }}
{%- endmacro %}

{% macro snowflake__json_type() -%}
    {{ return('variant') }}
{%- endmacro %}
