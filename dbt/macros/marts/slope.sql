{#- How much y changes with one of x: least squares, over the rows of a group where both are known. Null
    where fewer than two values of x are. The warehouses' own regr_slope() differ there. -#}
{% macro slope(y, x) -%}
    {%- set xs = 'case when ' ~ y ~ ' is not null then cast(' ~ x ~ ' as double) end' -%}
    {%- set n = 'count(' ~ xs ~ ')' -%}
    case
        when min({{ xs }}) < max({{ xs }})
            then ({{ n }} * sum({{ y }} * cast({{ x }} as double)) - sum({{ xs }}) * sum({{ y }}))
                / nullif({{ n }} * sum(cast({{ x }} as double) * ({{ xs }})) - power(sum({{ xs }}), 2), 0)
    end
{%- endmacro %}
