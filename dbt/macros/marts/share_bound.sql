{#- A bound of the 95 % interval of a share (Wilson); sign is '-' for the lower one, '+' for the upper. -#}
{% macro share_bound(found, cases, sign) -%}
    case
        when {{ cases }} > 0
            then (
                {{ found }} / cast({{ cases }} as double) + 1.9208 / {{ cases }}
                {{ sign }} 1.96 * sqrt(
                    {{ found }} / cast({{ cases }} as double) * (1 - {{ found }} / cast({{ cases }} as double)) / {{ cases }}
                    + 0.9604 / (cast({{ cases }} as double) * {{ cases }})
                )
            ) / (1 + 3.8416 / {{ cases }})
    end
{%- endmacro %}
