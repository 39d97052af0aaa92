{#- The day whose state is shown: that of the build, UTC, or the variable `as_of`. What a table knows
    of later days does not show. -#}
{% macro as_of() -%}
    cast('{{ var("as_of") or run_started_at.date() }}' as date)
{%- endmacro %}


{#- Whether a row of a table that keeps its past states is the state of that day. -#}
{% macro is_known_then() -%}
    known_from <= {{ as_of() }}
        and (known_until is null or known_until > {{ as_of() }})
{%- endmacro %}
