{#- A score on its brick's own scale as a value between 0 and 1. Null when the scale is not
    declared, or when the score lies outside it: an average must not swallow a wrong scale. -#}
{% macro normalised(score, minimum, maximum) -%}
    case
        when {{ maximum }} > {{ minimum }} and {{ score }} between {{ minimum }} and {{ maximum }}
            then ({{ score }} - {{ minimum }}) / ({{ maximum }} - {{ minimum }})
    end
{%- endmacro %}


{#- The declared scales of some bricks of a kit, side by side in one row:
    <brick>_minimum and <brick>_maximum. -#}
{% macro pivoted_scales(kit, bricks) -%}
    select
        {%- for brick in bricks %}
        max(case when brick_key = '{{ brick }}' then scale_minimum end) as {{ brick }}_minimum,
        max(case when brick_key = '{{ brick }}' then scale_maximum end) as {{ brick }}_maximum{{ "," if not loop.last }}
        {%- endfor %}
    from {{ ref('brick_scales') }}
    where kit_name = '{{ kit }}'
{%- endmacro %}
