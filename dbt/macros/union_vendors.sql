{#- One select per vendor in the list, stacked: a new vendor needs no change here. -#}
{% macro union_vendors(entity, columns) -%}
    {%- for vendor in var('vendors') %}
    select
        {%- for column in columns %}
        {{ column }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ ref('stg_' ~ vendor ~ '__' ~ entity) }}
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor -%}
{%- endmacro %}
