{#- Bounds of the interval of a proportion, by the score test of the normal approximation (Wilson,
    1927). Unlike the usual one it stays within 0 and 1 and has a width where nothing, or
    everything, was found. Null without cases; abs() since rounding can take a bound of 0 below it. -#}
{% macro wilson_lower(found, cases) -%}
    {{ _wilson(found, cases, '-') }}
{%- endmacro %}

{% macro wilson_upper(found, cases) -%}
    {{ _wilson(found, cases, '+') }}
{%- endmacro %}

{% macro _wilson(found, cases, sign) -%}
    {%- set n = 'cast(nullif(' ~ cases ~ ', 0) as double)' -%}
    {%- set share = '(cast(' ~ found ~ ' as double) / ' ~ n ~ ')' -%}
    {%- set z = normal_quantile() -%}
    abs(
        {{ share }} + {{ z }} * {{ z }} / (2 * {{ n }})
        {{ sign }} {{ z }} * sqrt({{ share }} * (1 - {{ share }}) / {{ n }} + {{ z }} * {{ z }} / (4 * {{ n }} * {{ n }}))
    ) / (1 + {{ z }} * {{ z }} / {{ n }})
{%- endmacro %}


{#- Bounds of the interval of the difference first - second of two independent proportions, made of
    the Wilson bounds of each (Newcombe, 1998, Statistics in Medicine 17, 873-890: method 10). -#}
{% macro newcombe_lower(first, first_lower, second, second_upper) -%}
    {{ first }} - {{ second }} - sqrt(
        power({{ first }} - {{ first_lower }}, 2) + power({{ second_upper }} - {{ second }}, 2)
    )
{%- endmacro %}

{% macro newcombe_upper(first, first_upper, second, second_lower) -%}
    {{ first }} - {{ second }} + sqrt(
        power({{ first_upper }} - {{ first }}, 2) + power({{ second }} - {{ second_lower }}, 2)
    )
{%- endmacro %}


{#- Bounds of the interval of the ratio of two independent proportions, normal in its logarithm (Katz,
    Baptista, Azen and Pike, 1978). Null where either is zero: there the method has no interval,
    and the difference is to be read instead. -#}
{% macro ratio_lower(found, cases, other_found, other_cases) -%}
    {{ _katz(found, cases, other_found, other_cases, '-') }}
{%- endmacro %}

{% macro ratio_upper(found, cases, other_found, other_cases) -%}
    {{ _katz(found, cases, other_found, other_cases, '+') }}
{%- endmacro %}

{% macro _katz(found, cases, other_found, other_cases, sign) -%}
    {%- set a = 'cast(nullif(' ~ found ~ ', 0) as double)' -%}
    {%- set n = 'cast(nullif(' ~ cases ~ ', 0) as double)' -%}
    {%- set b = 'cast(nullif(' ~ other_found ~ ', 0) as double)' -%}
    {%- set m = 'cast(nullif(' ~ other_cases ~ ', 0) as double)' -%}
    ({{ a }} / {{ n }}) / ({{ b }} / {{ m }})
    * exp({{ sign }} {{ normal_quantile() }} * sqrt((1 / {{ a }} - 1 / {{ n }}) + (1 / {{ b }} - 1 / {{ m }})))
{%- endmacro %}
