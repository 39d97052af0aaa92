{#- The day whose state is shown: that of the build, UTC, or the variable `as_of`. What a table knows
    of later days does not show. -#}
{% macro as_of() -%}
    cast('{{ var("as_of") or run_started_at.date() }}' as date)
{%- endmacro %}
