{#- Pearson's correlation of two columns over the rows of a group; with a column of 0 and 1 it is the
    point-biserial one. Null where a column does not vary: the warehouses' own corr() differ there. -#}
{% macro correlation(x, y) -%}
    case when min({{ x }}) < max({{ x }}) and min({{ y }}) < max({{ y }}) then corr({{ x }}, {{ y }}) end
{%- endmacro %}


{#- Bounds of the interval of a correlation, normal in its inverse hyperbolic tangent (Fisher, 1921).
    Meant for two normal variables, so for a column of 0 and 1 an approximation. Null at -1 and 1,
    and for fewer than four cases. -#}
{% macro fisher_lower(r, cases) -%}
    {{ _fisher(r, cases, '-') }}
{%- endmacro %}

{% macro fisher_upper(r, cases) -%}
    {{ _fisher(r, cases, '+') }}
{%- endmacro %}

{#- tanh(artanh(r) + d) is (k - 1) / (k + 1), where k = (1 + r) / (1 - r) * exp(2 d). -#}
{% macro _fisher(r, cases, sign) -%}
    {%- set odds -%}
        ((1 + {{ r }}) / nullif(1 - {{ r }}, 0) * exp({{ sign }} 2 * {{ normal_quantile() }} / sqrt(greatest({{ cases }} - 3, 1))))
    {%- endset -%}
    case
        when {{ cases }} > 3 and abs({{ r }}) < 1
            then ({{ odds }} - 1) / ({{ odds }} + 1)
    end
{%- endmacro %}


{#- Bounds of the interval of the difference first - second of two correlations that share a variable
    and are measured on the same cases, as two scores of the same deals with winning. Made of the
    Fisher bounds of each and of how the two hang together, for which `between` is the correlation
    of the two scores (Zou, 2007, Psychological Methods 12, 399-413). -#}
{% macro zou_lower(first, first_lower, second, second_upper, between) -%}
    {{ first }} - {{ second }} - {{ _zou_distance(
        first, second, between, first ~ ' - ' ~ first_lower, second_upper ~ ' - ' ~ second
    ) }}
{%- endmacro %}

{% macro zou_upper(first, first_upper, second, second_lower, between) -%}
    {{ first }} - {{ second }} + {{ _zou_distance(
        first, second, between, first_upper ~ ' - ' ~ first, second ~ ' - ' ~ second_lower
    ) }}
{%- endmacro %}

{#- What is under the root is never negative but by rounding. -#}
{% macro _zou_distance(first, second, between, first_arm, second_arm) -%}
    sqrt(abs(
        power({{ first_arm }}, 2) + power({{ second_arm }}, 2)
        - 2 * ({{ first_arm }}) * ({{ second_arm }}) * (
            ({{ between }} - {{ first }} * {{ second }} / 2)
            * (1 - {{ first }} * {{ first }} - {{ second }} * {{ second }} - {{ between }} * {{ between }})
            + power({{ between }}, 3)
        ) / nullif((1 - {{ first }} * {{ first }}) * (1 - {{ second }} * {{ second }}), 0)
    ))
{%- endmacro %}
