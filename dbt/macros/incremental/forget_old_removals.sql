{#- Removals are kept for 30 days: a model that was not built for longer needs a full refresh. -#}
{% macro forget_old_removals() -%}
    {%- set old = run_started_at - modules.datetime.timedelta(days=30) -%}
    delete from {{ this }}
    where row_count = 0 and built_at < {{ moment_literal(old.isoformat()) }}
{%- endmacro %}
