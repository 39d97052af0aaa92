{%- set settings = var('attrition') %}
{%- set signs = ['frustration', 'receptivity_missing', 'frustration_rise', 'performance_fall', 'escalation'] %}

with

features as (

    select * from {{ ref('agent_attrition_features') }}
    where is_last_version

),

-- Each sign before it is held against what counts as full. least() and greatest() differ between the
-- warehouses where something is null.
signs as (

    select
        agent_month_key,
        frustration_frequency as frustration,
        1 - coaching_receptivity_normalised as receptivity_missing,
        frustration_trend_slope as frustration_rise,
        -performance_trend_slope as performance_fall,
        customer_escalation_rate as escalation
    from features

),

limited as (

    select
        agent_month_key,
        {%- for sign in signs %}
        case when {{ sign }} is not null then least(1.0, greatest(0.0, {{ sign }} / {{ settings.weights[sign].full }})) end
            as {{ sign }}_sign{{ "," if not loop.last }}
        {%- endfor %}
    from signs

),

-- What is not known carries no weight; the others then carry more.
weighted as (

    select
        *,
        (
            {%- for sign in signs %}
            {{ "+ " if not loop.first }}coalesce({{ settings.weights[sign].weight }} * {{ sign }}_sign, 0)
            {%- endfor %}
        ) / nullif(
            {%- for sign in signs %}
            {{ "+ " if not loop.first }}case when {{ sign }}_sign is null then 0 else {{ settings.weights[sign].weight }} end
            {%- endfor %},
            0
        ) as rule_score
    from limited

),

-- A model's last word on that month.
models as (

    select
        rep_key,
        month_start,
        risk_score,
        model_name,
        scored_on
    from {{ ref('stg_reference__attrition_scores') }}
    qualify row_number() over (
        partition by rep_key, month_start
        order by scored_on desc, model_name desc
    ) = 1

),

scored as (

    select
        features.*,
        case when models.rep_key is null then 'rule' else 'model' end as risk_source,
        models.model_name,
        models.scored_on,
        coalesce(
            models.risk_score,
            case when features.conversation_count >= {{ settings.minimum_conversations }} then weighted.rule_score end
        ) as risk_score,
        weighted.frustration_sign,
        weighted.receptivity_missing_sign,
        weighted.frustration_rise_sign,
        weighted.performance_fall_sign,
        weighted.escalation_sign
    from features
    inner join weighted
        on features.agent_month_key = weighted.agent_month_key
    left join models
        on
            features.rep_key = models.rep_key
            and features.month_start = models.month_start

),

final as (

    select
        rep_key || ':' || cast(month_start as varchar) as agent_risk_key,
        rep_key,
        rep_name,
        team,
        month_start,
        known_on,
        kit_version_id,
        risk_source,
        model_name,
        scored_on,
        round(cast(risk_score as double), 6) as risk_score,
        case
            when round(cast(risk_score as double), 6) >= {{ settings.intervention_from }} then 'intervention'
            when round(cast(risk_score as double), 6) >= {{ settings.watch_from }} then 'watch'
            when risk_score is not null then 'healthy'
            else 'not_enough_data'
        end as risk_status,
        conversation_count,
        frustration_frequency,
        frustration_frequency_normalised,
        case
            when frustration_trend_slope > {{ settings.steady_within }} then 'rising'
            when frustration_trend_slope < -{{ settings.steady_within }} then 'falling'
            when frustration_trend_slope is not null then 'steady'
            else 'not_enough_data'
        end as frustration_trend,
        frustration_trend_slope,
        receptivity_conversation_count,
        coaching_receptivity,
        coaching_receptivity_normalised,
        performance_trend_slope,
        customer_escalation_rate,
        round(cast(frustration_sign as double), 6) as frustration_sign,
        round(cast(receptivity_missing_sign as double), 6) as receptivity_missing_sign,
        round(cast(frustration_rise_sign as double), 6) as frustration_rise_sign,
        round(cast(performance_fall_sign as double), 6) as performance_fall_sign,
        round(cast(escalation_sign as double), 6) as escalation_sign,
        label_known_on,
        left_on,
        left_within_horizon
    from scored

)

select * from final
