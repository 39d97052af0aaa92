{#- A condition of `win_loss_conditions` in words: the brick, "not" before one that is to be false, and
    its bound. -#}
{% macro condition_in_words(condition) -%}
    {%- if 'above' in condition -%}
        {{ condition.brick }} > {{ condition.above }}
    {%- elif 'below' in condition -%}
        {{ condition.brick }} < {{ condition.below }}
    {%- elif condition.is is sameas true or condition.is is sameas false -%}
        {{ '' if condition.is else 'not ' }}{{ condition.brick }}
    {%- else -%}
        {{ exceptions.raise_compiler_error(
            "win_loss_conditions: the condition on " ~ condition.brick
            ~ " needs `is` (true or false), `above` or `below`"
        ) }}
    {%- endif -%}
{%- endmacro %}


{#- The same over the answers of a group: null where the brick has no answer. -#}
{% macro condition_is_met(condition) -%}
    {%- set answer = 'mean_number' if 'above' in condition or 'below' in condition else 'was_true' -%}
    max(case when brick_key = '{{ condition.brick }}' then {{ answer }} end)
    {%- if 'above' in condition %} > {{ condition.above }}
    {%- elif 'below' in condition %} < {{ condition.below }}
    {%- else %} = {{ 1 if condition.is else 0 }}
    {%- endif -%}
{%- endmacro %}
