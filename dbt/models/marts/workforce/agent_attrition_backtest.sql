{%- set rates = {
    'precision_share': ('flagged_and_left_count', 'flagged_count'),
    'recall_share': ('flagged_and_left_count', 'left_count'),
    'accuracy_share': ('right_count', 'agent_month_count'),
    'left_share': ('left_count', 'agent_month_count'),
} %}

with

-- Months whose 90 days are over, whoever left: those that are not would count only the leavers.
judged as (

    select
        *,
        risk_score is not null and label_known_on <= {{ as_of() }} and left_within_horizon is not null
            as is_over,
        risk_status = 'intervention' as is_flagged
    from {{ ref('agent_attrition_risk_history') }}

),

counted as (

    select
        risk_source,
        coalesce(model_name, 'declared weights') as model_name,
        kit_version_id,
        count(case when is_over then 1 end) as agent_month_count,
        count(distinct case when is_over then rep_key end) as agent_count,
        count(case when risk_score is not null and not is_over then 1 end) as open_agent_month_count,
        count(case when is_over and is_flagged then 1 end) as flagged_count,
        count(case when is_over and left_within_horizon then 1 end) as left_count,
        count(case when is_over and is_flagged and left_within_horizon then 1 end) as flagged_and_left_count,
        count(case when is_over and is_flagged = left_within_horizon then 1 end) as right_count,
        avg(
            case
                when is_over and is_flagged and left_within_horizon
                    then {{ dbt.datediff('known_on', 'left_on', 'day') }} / 7.0
            end
        ) as early_warning_weeks
    from judged
    group by risk_source, coalesce(model_name, 'declared weights'), kit_version_id

),

final as (

    select
        risk_source || ':' || model_name || ':' || kit_version_id as backtest_key,
        risk_source,
        model_name,
        kit_version_id,
        agent_month_count,
        agent_count,
        open_agent_month_count,
        flagged_count,
        left_count,
        flagged_and_left_count,
        case
            when agent_month_count >= {{ var('minimum_n') }} then 'computed'
            else 'not_enough_data'
        end as backtest_state,
        {%- for rate, (found, cases) in rates.items() %}
        case
            when agent_month_count >= {{ var('minimum_n') }}
                then round({{ found }} / cast(nullif({{ cases }}, 0) as double), 6)
        end as {{ rate }},
        case when agent_month_count >= {{ var('minimum_n') }} then round({{ wilson_lower(found, cases) | indent(8) }}, 6) end
            as {{ rate }}_lower,
        case when agent_month_count >= {{ var('minimum_n') }} then round({{ wilson_upper(found, cases) | indent(8) }}, 6) end
            as {{ rate }}_upper,
        {%- endfor %}
        case when agent_month_count >= {{ var('minimum_n') }} then cast(early_warning_weeks as double) end
            as early_warning_weeks
    from counted

)

select * from final
