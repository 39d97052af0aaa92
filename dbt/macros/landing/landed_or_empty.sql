{#- Reads a landing table, or gives typed columns and no rows while it does not exist: a vendor
    that is not connected and a kit that was never run must not stop the others.
    `fill_missing` also gives null for a declared column that the table lacks; only kits ask for
    it, because their bricks are the user's. Elsewhere a missing column is a fault and fails. -#}
{% macro landed_or_empty(relation, columns, fill_missing=false) -%}
    {%- set looks = execute and flags.INTROSPECT and not relation.is_cte -%}
    {%- set landed = load_relation(relation) if looks else relation -%}
    {%- if landed is none %}
    select
        {%- for name, type in columns.items() %}
        cast(null as {{ sql_type(type) }}) as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    limit 0
    {%- else %}
    {%- set present = columns.keys() | list -%}
    {%- if looks and fill_missing -%}
        {%- set present = adapter.get_columns_in_relation(landed) | map(attribute='name') | map('lower') | list -%}
    {%- endif %}
    select
        {%- for name, type in columns.items() %}
        {% if name in present -%}
        {{ name }}
        {%- else -%}
        cast(null as {{ sql_type(type) }}) as {{ name }}
        {%- endif %}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ relation }}
    {%- endif -%}
{%- endmacro %}
