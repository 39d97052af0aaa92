{#- The quantile of the normal distribution that leaves 2.5 percent on each side: all intervals here
    are of 95 percent. -#}
{% macro normal_quantile() -%}
    cast(1.959963984540054 as double)
{%- endmacro %}


{#- The same of Student's t, by its expansion about the normal quantile in powers of 1 / degrees of
    freedom (Fisher and Cornish, 1960; Abramowitz and Stegun 26.7.5). Below three degrees the series
    is no use and this is null; from there on it is off by less than one percent, from twenty on by
    less than a millionth. -#}
{% macro t_quantile(degrees) -%}
    {%- set z = 1.959963984540054 -%}
    {%- set terms = [
        (z ** 3 + z) / 4,
        (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
        (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
        (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92160,
    ] -%}
    case
        when {{ degrees }} >= 3
            then
                {{ normal_quantile() }}
                {%- for term in terms %}
                + {{ term }} / power(cast(nullif({{ degrees }}, 0) as double), {{ loop.index }})
                {%- endfor %}
    end
{%- endmacro %}
