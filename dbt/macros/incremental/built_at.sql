{#- The moment of this invocation, the same in every model it builds: what a row of a model that
    grows carries as `built_at`, so that a later build knows what it has seen. -#}
{% macro built_at() -%}
    {{ moment_literal(run_started_at.isoformat()) }}
{%- endmacro %}


{#- A moment written out. A literal, not a subquery, so that the warehouse skips what is older. -#}
{% macro moment_literal(text) -%}
    cast('{{ text }}' as {{ sql_type('timestamp') }})
{%- endmacro %}
