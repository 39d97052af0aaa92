with

-- Whoever has left since has no risk any more.
latest as (

    select *
    from {{ ref('agent_attrition_risk_history') }}
    where left_on is null
    qualify row_number() over (
        partition by rep_key
        order by month_start desc
    ) = 1

),

final as (

    select
        rep_key,
        rep_name,
        team,
        month_start,
        known_on,
        kit_version_id,
        risk_score,
        risk_status,
        risk_source,
        model_name,
        scored_on,
        conversation_count,
        frustration_frequency,
        frustration_frequency_normalised,
        frustration_trend,
        frustration_trend_slope,
        receptivity_conversation_count,
        coaching_receptivity,
        coaching_receptivity_normalised,
        performance_trend_slope,
        customer_escalation_rate
    from latest

)

select * from final
