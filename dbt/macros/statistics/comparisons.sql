{#- What an interval of a difference says: which of two names is higher, that neither is seen to be, or
    that there is too little to say. An interval that could not be made says that too. -#}
{% macro verdict(lower, upper, has_enough_data, higher, lower_name, neither) -%}
    case
        when not {{ has_enough_data }} or {{ lower }} is null or {{ upper }} is null then 'not_enough_data'
        when {{ lower }} > 0 then '{{ higher }}'
        when {{ upper }} < 0 then '{{ lower_name }}'
        else '{{ neither }}'
    end
{%- endmacro %}


{#- Win rates of the deals with something and of those without it, each with its interval, their
    difference and ratio with theirs, and what the interval of the difference says. `counted` has
    deals_with, wins_with, deals_without and wins_without in each row, and the columns to keep. Both
    sides need `minimum_n` deals. -#}
{% macro win_rates_compared(counted, keep) -%}
    {%- set sides = ['with', 'without'] %}
    select
        *,
        win_rate_with - win_rate_without as win_rate_difference,
        {{ newcombe_lower('win_rate_with', 'win_rate_with_lower', 'win_rate_without', 'win_rate_without_upper') }}
            as win_rate_difference_lower,
        {{ newcombe_upper('win_rate_with', 'win_rate_with_upper', 'win_rate_without', 'win_rate_without_lower') }}
            as win_rate_difference_upper,
        win_rate_with / nullif(win_rate_without, 0) as win_rate_ratio,
        {{ ratio_lower('wins_with', 'deals_with', 'wins_without', 'deals_without') }} as win_rate_ratio_lower,
        {{ ratio_upper('wins_with', 'deals_with', 'wins_without', 'deals_without') }} as win_rate_ratio_upper
    from (
        select
            {{ keep | join(', ') }},
            {%- for side in sides %}
            deals_{{ side }},
            wins_{{ side }},
            cast(wins_{{ side }} as double) / nullif(deals_{{ side }}, 0) as win_rate_{{ side }},
            {{ wilson_lower('wins_' ~ side, 'deals_' ~ side) }} as win_rate_{{ side }}_lower,
            {{ wilson_upper('wins_' ~ side, 'deals_' ~ side) }} as win_rate_{{ side }}_upper,
            {%- endfor %}
            deals_with >= {{ var('minimum_n') }} and deals_without >= {{ var('minimum_n') }} as has_enough_data
        from {{ counted }}
    ) as rates
{%- endmacro %}


{#- The columns of `win_rates_compared` as a mart shows them: rounded, since the warehouses differ in
    the last digits of a double, and with the verdict. -#}
{% macro win_rate_columns() -%}
    {%- for side in ['with', 'without'] %}
        deals_{{ side }},
        wins_{{ side }},
        round(win_rate_{{ side }}, 6) as win_rate_{{ side }},
        round(win_rate_{{ side }}_lower, 6) as win_rate_{{ side }}_lower,
        round(win_rate_{{ side }}_upper, 6) as win_rate_{{ side }}_upper,
    {%- endfor %}
    {%- for figure in ['difference', 'ratio'] %}
        {%- for bound in ['', '_lower', '_upper'] %}
        round(win_rate_{{ figure }}{{ bound }}, 6) as win_rate_{{ figure }}{{ bound }},
        {%- endfor %}
    {%- endfor %}
        has_enough_data,
        {{ verdict(
            'win_rate_difference_lower', 'win_rate_difference_upper', 'has_enough_data',
            'higher_with', 'lower_with', 'no_clear_difference'
        ) }} as comparison
{%- endmacro %}
