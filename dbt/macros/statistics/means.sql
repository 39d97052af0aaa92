{#- Standard error of the mean of a column's values in a group, each an observation of its own. -#}
{% macro standard_error(values) -%}
    stddev_samp({{ values }}) / sqrt(nullif(count({{ values }}), 0))
{%- endmacro %}


{#- Standard error of a mean of observations that come in groups, such as calls of one deal, which are
    alike: the squared sums of each group's distances from the mean tell how much the groups differ
    (the cluster-robust estimator of Liang and Zeger, 1986, for a mean, with groups / (groups - 1)).
    With one observation in each group it is the usual one. Null for a single group. -#}
{% macro grouped_standard_error(squared_group_sums, observations, groups) -%}
    sqrt(
        {{ squared_group_sums }} * cast({{ groups }} as double) / nullif({{ groups }} - 1, 0)
    ) / nullif({{ observations }}, 0)
{%- endmacro %}


{#- Bounds of the interval of a mean, by Student's t with one degree of freedom less than groups. -#}
{% macro mean_lower(mean, standard_error, groups) -%}
    {{ mean }} - {{ standard_error }} * {{ t_quantile(groups ~ ' - 1') }}
{%- endmacro %}

{% macro mean_upper(mean, standard_error, groups) -%}
    {{ mean }} + {{ standard_error }} * {{ t_quantile(groups ~ ' - 1') }}
{%- endmacro %}
