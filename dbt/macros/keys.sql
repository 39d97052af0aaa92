{#- A conversation's name across vendors: readable, and unique since no vendor has a colon. -#}
{% macro conversation_key(vendor, conversation_id) -%}
    {{ vendor }} || ':' || {{ conversation_id }}
{%- endmacro %}


{#- Which of several scores by one kit stands: the last one given. The order is total, so that two
    builds over the same rows agree; nulls are placed because the warehouses place them differently. -#}
{% macro last_score_first() -%}
    scored_at desc nulls last, kit_version_id desc nulls last, run_id desc nulls last
{%- endmacro %}


{#- Semarize does not always say which version answered; such scores share one version per kit. -#}
{% macro kit_version(kit_name) -%}
    coalesce(nullif(kit_version_id, ''), {{ kit_name }} || ':unversioned')
{%- endmacro %}
