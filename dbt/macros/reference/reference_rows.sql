{#- Reads a table of the source `reference`, or gives its typed columns and no rows while it does not
    exist. The sandbox's tables are seeds of this project, so there it reads the seed: dbt then
    loads it first. One that the sandbox does not make up has no seed. Columns named in `without` are left
    out. -#}
{% macro reference_rows(table, has_seed=true, without=[]) -%}
    {%- set relation = source('reference', table) -%}
    {%- if has_seed and env_var('SANDBOX_REFERENCE', 'false') | lower == 'true' -%}
        {%- set relation = ref(table) -%}
    {%- endif -%}
    {%- set columns = reference_columns(table) -%}
    {%- for name in without -%}
        {%- do columns.pop(name, none) -%}
    {%- endfor -%}
    {%- set looks = execute and flags.INTROSPECT -%}
    {%- set there = not looks or load_relation(relation) is not none %}
    select
        {%- for name, type in columns.items() %}
        cast({{ name if there else 'null' }} as {{ type }}) as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    {%- if there %}
    from {{ relation }}
    {%- else %}
    limit 0
    {%- endif -%}
{%- endmacro %}


{#- Columns and types as the source declares them, so that they are written once. -#}
{% macro reference_columns(table) -%}
    {%- set columns = {} -%}
    {%- if execute -%}
        {%- for node in graph.sources.values() if node.source_name == 'reference' and node.name == table -%}
            {%- for name, column in node.columns.items() -%}
                {%- do columns.update({name: column.data_type}) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(columns) }}
{%- endmacro %}
