{#- Reads a table of the source `reference` that says since when and until when each row was so
    (known_from, known_until). One that has the current state only, and is named so in the variable
    `reference` (`current_only`), gets its past from the snapshot that each build adds to. -#}
{% macro reference_states(table) -%}
    {%- if table not in tables_without_past() -%}
        {%- do known_from_or_complain(table) -%}
        {{ return(reference_rows(table)) }}
    {%- endif %}
    select
        {%- for name, type in reference_columns(table).items() %}
        {% if name == 'known_from' -%}
        {{ utc_date('dbt_valid_from') }}
        {%- elif name == 'known_until' -%}
        {{ utc_date('dbt_valid_to') }}
        {%- else -%}
        cast({{ name }} as {{ type }})
        {%- endif %} as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ ref('snap_' ~ table) }}
{%- endmacro %}


{% macro tables_without_past() -%}
    {{ return(var('reference').get('current_only') or []) }}
{%- endmacro %}


{% macro known_from_or_complain(table) -%}
    {%- if execute and flags.INTROSPECT -%}
        {%- set there = load_relation(source('reference', table)) -%}
        {%- if there is not none -%}
            {%- set names = adapter.get_columns_in_relation(there) | map(attribute='name') | map('lower') | list -%}
            {%- if 'known_from' not in names -%}
                {%- do exceptions.raise_compiler_error(
                    there ~ " has no column known_from. Where it has the current state only, name " ~ table
                    ~ " under `current_only` of the variable `reference`, and each build records its changes."
                ) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{#- What a snapshot of such a table compares with what it has. A table that is gone or empty after it
    had rows would close every one of them, so that fails; a build without rows changes nothing. -#}
{% macro current_states(table) -%}
    {%- set columns = reference_columns(table).keys() | reject('in', ['known_from', 'known_until']) | list -%}
    {%- set recorded = execute and flags.INTROSPECT and load_relation(this) is not none -%}
    {%- if recorded and flags.EMPTY %}
    select {{ columns | join(', ') }} from {{ this }} where dbt_valid_to is null
    {%- else %}
    {%- set relation = source('reference', table) -%}
    {%- if recorded -%}
        {%- set there = load_relation(relation) -%}
        {%- set open = run_query("select count(*) from " ~ this ~ " where dbt_valid_to is null").rows[0][0] -%}
        {%- if open > 0 and (there is none or run_query("select count(*) from " ~ there).rows[0][0] == 0) -%}
            {%- do exceptions.raise_compiler_error(
                relation ~ " has no rows, and " ~ this ~ " has " ~ open ~ " that are current. Load it again; or, if "
                ~ "all of them are gone indeed, set dbt_valid_to of these rows by hand."
            ) -%}
        {%- endif -%}
    {%- endif %}
    select {{ columns | join(', ') }} from ({{ reference_rows(table, without=['known_from', 'known_until']) }}) as states
    {%- endif -%}
{%- endmacro %}


{#- The moment of the build stands for all that it records, so that `as_of` and what a snapshot knows
    agree in a build that passes midnight. dbt calls the one of the warehouse. -#}
{% macro duckdb__snapshot_get_time() -%}
    {{ built_at() }}
{%- endmacro %}

{% macro snowflake__snapshot_get_time() -%}
    {{ built_at() }}
{%- endmacro %}
